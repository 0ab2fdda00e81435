"""The outputs that ``docs`` prints: each situation is made, each command runs again, and prints every line that stands there."""

from __future__ import annotations

import re
import shlex
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import redis

from redisipc import Caller, Channel, RedisIPCError, Reject, Stream, event

from ..support_server import Server
from .conftest import Cli

DOCS = Path(__file__).parents[3] / "docs"
PAGES = ("command-line.md", "python/refused.md")
if not DOCS.is_dir():
    pytest.skip("the pages are only in the repository", allow_module_level=True)
Serve = Callable[..., Any]


class Shown(NamedTuple):
    """A command of a page, and what stands below it."""

    page: str
    heading: str
    words: list[str]
    lines: list[str]
    status: int | None

    @property
    def name(self) -> str:
        return f"{self.page}: {self.heading}: {shlex.join(self.words)}"


def shown() -> Iterator[Shown]:
    for page in PAGES:
        heading = ""
        for part in re.split(
            r"^(#+ [^\n]*|```.*?^```)", (DOCS / page).read_text("utf-8"), flags=re.MULTILINE | re.DOTALL
        ):
            if part.startswith("#"):
                heading = part.lstrip("# ")
            elif part.startswith("```\n$ redisipc"):
                for command in part.strip("`\n").split("$ redisipc ")[1:]:
                    first, *lines = command.strip().splitlines()
                    ends = re.fullmatch(r"\[exit (\d+)\]", lines[-1])
                    yield Shown(
                        page, heading, shlex.split(first), lines[: -1 if ends else None], int(ends[1]) if ends else None
                    )


ALL = list(shown())
LEFT_OUT = {
    "Some requests take 10 seconds, or time out": "a process must be paused for 12 s: test_doctor has its text",
    "What became of this request?": "test_watch has its lines",
    "A partner for my test": "it has no end: test_serve has its lines",
}
"""By heading, why its outputs are not made again."""


def pattern(text: str) -> str:
    """A pattern for a text in which times, counts, ids and addresses differ from run to run."""
    found = ""
    for word in re.split(r"(\d\d:\d\d:\d\d\.\d+|\b[0-9a-f]{6}\b|127\.0\.0\.1:\d+|\d+-\d+|\d[\d,.]*\d|\d|\s+)", text):
        if not word:
            continue
        if word.isspace():
            found += r"\s+"
        elif re.fullmatch(r"[0-9a-f]{6}", word) and not word.isdigit():
            found += "[0-9a-f]{6}"
        elif word.startswith("127.0.0.1:"):
            found += r"[\w.]+:\d+"
        elif word[0].isdigit():
            found += r"[\d:.,-]+"
        else:
            found += re.escape(word)
    # A time may be in another unit; a count may be one.
    found = re.sub(r"\[\\d:\.,-\]\+\\s\+(ms|s|min)\b", r"[\\d.]+\\s+(?:ms|s|min)", found)
    either = r"(?:[\\d]+ (?:rejected|fulfilled)(?:, )?){2}"
    found = re.sub(r"\S+\\s\+rejected,\\s\+\S+\\s\+fulfilled", either, found)
    found = re.sub(r"\bshop\b", r"[\\w-]+", found)
    return re.sub(r"\b(problem|warning|note|check|right|time|request)s?\b", r"\1s?", found)


def paragraphs(lines: list[str]) -> list[str]:
    """Lines that were wrapped are one."""
    found: list[str] = []
    for line in lines:
        if line.startswith("        ") and found and not line.strip().startswith("$"):
            found[-1] += " " + line.strip()
        elif line.strip() not in ("", "..."):
            found.append(line.strip())
    return found


def check(cli: Cli, heading: str, *names: str, page: str = PAGES[0], **instead: str) -> None:
    """Run the commands of a heading that begin so, with other options for quicker ones, and compare."""
    mine = [each for each in ALL if each.heading == heading and each.page == page]
    mine = [each for each in mine if not names or each.words[0] in names]
    assert mine, f"{page} has no such output any more: {heading}"
    for each in mine:
        one(cli, each, **instead)


def one(cli: Cli, output: Shown, **instead: str) -> None:
    """Run a command of a page, and compare."""
    ran = cli(*(word for words in output.words for word in instead.get(words, words).split(" ")))
    said = re.sub(r"\s+", " ", ran.out + "\n" + ran.err)
    for text in paragraphs(output.lines):
        assert re.search(pattern(text), said), f"{output.name}\nthe page has: {text}\nit says: {ran.out}{ran.err}"
    assert output.status in (None, ran.status), output.name


@contextmanager
def traffic(stream: str, url: str, event: str) -> Iterator[None]:
    """Requests all the time."""
    stopping = threading.Event()

    def ask() -> None:
        with Caller(stream, url=url) as caller:
            while not stopping.is_set():
                try:
                    caller.request({"event": event, "params": {"sku": 1}}, to="stock", timeout=2)
                except RedisIPCError:
                    pass
                time.sleep(0.005)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def lacks_release(request: Any) -> Any:
    if request.content["event"] == "release":
        raise Reject("Unsupported event. Given release")
    return 7


@pytest.fixture(autouse=True)
def _no_other_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_HOST", "127.0.0.1")
    monkeypatch.setenv("REDIS_PORT", "1")


def test_each_output_is_made_again_or_left_out_with_a_reason() -> None:
    made = set(re.findall(r'(?:check\(\s*cli, |heading = )"([^"]+)"', Path(__file__).read_text("utf-8")))
    assert {each.heading for each in ALL} == made | set(LEFT_OUT)


def test_a_request_gets_no_answer(cli: Cli, serve: Serve, gem: Serve, raw: redis.Redis) -> None:
    serve("web", None)
    quiet = gem("stock", serves=False)
    raw.expire(quiet.list, 86)
    time.sleep(0.05)
    quick = {"1s": "200ms"}
    check(cli, "A request gets no answer", "send", **quick)
    raw.delete(quiet.list)
    raw.xgroup_destroy(quiet.stream, "stock")
    serve("stock", lambda request: time.sleep(0.6))
    check(cli, "A request gets no answer", "call", **quick)


def test_the_other_side_uses_another_redis(
    cli: Cli, serve: Serve, server: Server, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve("web", None)
    monkeypatch.setenv("REDIS_PORT", str(server.port))
    with Stream(stream, "stock", url=server.url):
        check(cli, "The other side uses another Redis")


def test_some_are_refused(cli: Cli, serve: Serve, gem: Serve, stream: str, url: str) -> None:
    gem("stock", answer=lambda _: b"true")
    serve("stock", lacks_release)
    check(cli, "Some of the requests are refused", "call", **{"8": "40"})
    with traffic(stream, url, "release"):
        check(cli, "Some of the requests are refused", "doctor", "ping", **{"5s": "1s"})


def test_half_of_the_requests_are_refused(cli: Cli, serve: Serve, stream: str, url: str) -> None:
    serve("stock", lambda request: 7)
    serve("stock", lacks_release)
    with traffic(stream, url, "release"):
        check(cli, "Some are refused, and some are not", page=PAGES[1], **{"5s": "1s"})


def test_who_is_in_this_group(cli: Cli, serve: Serve, gem: Serve) -> None:
    gem("stock")
    serve("stock")
    serve("web", None)
    check(cli, "Who is in this group?")


def test_what_passes(cli: Cli, stream: str, url: str) -> None:
    class Stock(Channel):
        group = "stock"

        @event
        def reserve(self, sku: int) -> int:
            return 7

    Stock.stream = stream
    Stock.connect(url=url)
    try:
        with traffic(stream, url, "reserve"), traffic(stream, url, "refund"):
            check(cli, "What passes over the stream?", **{"--exact": "--exact --for 700ms"})
    finally:
        Stock.disconnect()


def test_is_it_ready(cli: Cli, serve: Serve) -> None:
    serve("stock")
    serve("stock")
    check(cli, "Is it ready?")


def test_how_fast_is_it(cli: Cli) -> None:
    check(cli, "How fast is it?", **{"1s": "100ms"})


def test_the_stream_is_not_as_it_should_be(cli: Cli, raw: redis.Redis, stream: str) -> None:
    heading = "The stream or the server is not as it should be"
    mine = [each for each in ALL if each.heading == heading]
    raw.set(stream, "a string")
    one(cli, mine[0])
    raw.delete(stream)
    raw.xgroup_create(stream, "stock", "0", mkstream=True)
    for _ in range(3):
        raw.xadd(stream, {"a": "b"})
    for each in mine[1:4]:
        one(cli, each)
    # The rest is of Redis 5, which no test has.
    assert [each.words[0] for each in mine[4:]] == ["send", "doctor"]


def test_which_rights(cli: Cli) -> None:
    check(cli, "Which rights does a program need?")
