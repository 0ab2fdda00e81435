"""Every example of the READMEs and of the pages for users is run unchanged, and prints what it says."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from redisipc.protocol import redis_errors

from ..support_server import Server, die_with_parent, free_port, program
from .blocks import FILES, ROOT, blocks, every

pytestmark = pytest.mark.slow

SOURCE = ROOT / "python" / "src"
QUICKSTART = "7\nrejected no such sku\n"
Start = Callable[..., "subprocess.Popen[str]"]
PRINTS = {
    "quickstart.py": QUICKSTART,
    "aio.py": "[0, 2, 4, 6, 8]\nno answer from group 'nobody' within 0.2 s",
    "channels.py": (
        "{'started': 1}\n{'worker_1': [{'id': 1, 'status': 'running'}]}\nUnsupported event. Given no such event\n"
        "[{'title': 'job 1'}]\n"
    ),
    "caller.py": "42\nthere is no group 'nobody'",
    "observers.py": "send_started stock",
    "states.py": "joining \nup \n",
    "errors.py": "no answer after 0.2 s from nobody\n",
    "reasons.py": "not_found {'sku': 7}\nTrue handler_failed: ValueError; request ",
}
WITH_SERVERS = {"child.py", "parent.py", "clients.py", "sentinel.py", "cluster.py"}


@pytest.fixture
def start(url: str, raw: redis.Redis, tmp_path: Path) -> Iterator[Start]:
    """Start an example; some words of it may be replaced by where the test's servers are."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, replace: dict[str, str] | None = None, where: str = url) -> subprocess.Popen[str]:
        for old, new in (replace or {}).items():
            assert old in code, f"the example does not contain {old!r} any more"
            code = code.replace(old, new)
        file = tmp_path / f"example_{len(started)}.py"
        file.write_text(code, "utf-8")
        environment = {**os.environ, "REDIS_URL": where, "PYTHONPATH": str(SOURCE), "PYTHONWARNINGS": "error"}
        started.append(
            subprocess.Popen(
                [sys.executable, "-u", str(file)],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                env=environment,
                preexec_fn=die_with_parent,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()
    for name in ("shop", "electric_household", "ipc:website"):
        raw.delete(name, *raw.scan_iter(f"{name}:*"))


def said(process: subprocess.Popen[str]) -> str:
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0, out
    return out


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)


@pytest.mark.parametrize("file", FILES)
def test_every_example_has_a_name_and_is_run(file: str) -> None:
    assert set(blocks(file)) <= {*PRINTS, *WITH_SERVERS}


@pytest.mark.parametrize("name", PRINTS)
def test_it_prints_what_it_says(name: str, start: Start) -> None:
    assert said(start(every()[name])).startswith(PRINTS[name])


@pytest.mark.parametrize("file", ["README.md", "python/README.md"])
def test_the_quickstart_is_short_and_runs(file: str, start: Start) -> None:
    code = blocks(file)["quickstart.py"]
    assert len([line for line in code.splitlines() if line.strip()]) < 20
    assert said(start(code)) == QUICKSTART


def converse(child: subprocess.Popen[str], start_parent: Callable[[], subprocess.Popen[str]], raw: redis.Redis) -> None:
    wait_for(lambda: list(raw.scan_iter("electric_household:child:*:consumers")))
    parent = start_parent()
    out, _ = parent.communicate(timeout=30)
    if parent.returncode == 0:
        # The child gave in; at once, or on being asked again, when the parent has nothing to say.
        assert out in ("Child said: Yes, creators\n", "")
    else:
        assert (parent.returncode, out.endswith("No! <Tantrum initiated>\n")) == (1, True)
    child.send_signal(signal.SIGTERM)
    assert said(child) == ""


def test_the_gems_parent_and_child(start: Start, raw: redis.Redis) -> None:
    code = every()
    converse(start(code["child.py"]), lambda: start(code["parent.py"]), raw)


def test_parent_and_child_of_the_examples_folder(start: Start, raw: redis.Redis) -> None:
    code = {name: (ROOT / "python/examples" / name).read_text("utf-8") for name in ("child.py", "parent.py")}
    converse(start(code["child.py"]), lambda: start(code["parent.py"]), raw)


def test_clients(start: Start, server: Server) -> None:
    where = {"redis://localhost:6379/0": server.url, '"localhost", port=6379': f'"127.0.0.1", port={server.port}'}
    assert said(start(every()["clients.py"], where)) == "True\nTrue\n"


def test_a_cluster(start: Start) -> None:
    node = Server("--cluster-enabled", "yes")
    node.start()
    try:
        with redis.Redis.from_url(node.url) as client:
            client.execute_command("CLUSTER", "ADDSLOTS", *range(16384))
            wait_for(lambda: client.execute_command("CLUSTER INFO")["cluster_state"] == "ok")
        where = {'"localhost", port=7000': f'"127.0.0.1", port={node.port}'}
        assert said(start(every()["cluster.py"], where)) == "True\n"
    finally:
        node.stop()


def test_a_sentinel(start: Start, server: Server, tmp_path: Path) -> None:
    config, port = tmp_path / "sentinel.conf", free_port()
    config.write_text(f"port {port}\ndir {tmp_path}\nsentinel monitor mymaster 127.0.0.1 {server.port} 1\n")
    process = subprocess.Popen(
        [str(program()), str(config), "--sentinel"], stdout=subprocess.DEVNULL, preexec_fn=die_with_parent
    )
    try:
        with redis.Redis(port=port) as client:
            wait_for(lambda: answers(client))
        where = {'"localhost", 26379': f'"127.0.0.1", {port}'}
        assert said(start(every()["sentinel.py"], where)) == "True\n"
    finally:
        process.terminate()
        process.wait()


def answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def test_the_rights_are_enough(start: Start, server: Server) -> None:
    """And nothing is refused: no line of the server's ACL log."""
    [line] = every("redis")["acl"].strip().splitlines()
    with redis.Redis.from_url(server.url) as client:
        version = client.info("server")["redis_version"]
        words = [word for word in line.split() if not (version < "7" and word.startswith(("resetchannels", "&")))]
        client.execute_command(*words)
        mine = server.url.replace("redis://", "redis://shop:secret@")
        assert said(start(every()["quickstart.py"], where=mine)) == QUICKSTART
        assert client.acl_log() == []


def test_the_rights_of_the_page_on_security_are_enough(start: Start, server: Server) -> None:
    """On each server. Where Redis refuses anything, it is what the page names."""
    [line] = blocks("docs/security.md", "redis")["acl"].strip().splitlines()
    with redis.Redis.from_url(server.url) as client:
        client.execute_command(*line.split())
        mine = server.url.replace("redis://", "redis://shop:secret@")
        assert said(start(every()["quickstart.py"], where=mine)) == QUICKSTART
        assert {entry["object"] for entry in client.acl_log()} <= {"client|setinfo", "client"}  # "client": Redis 6.2


def test_the_rights_of_a_caller_are_enough(start: Start, server: Server) -> None:
    [line] = every("redis")["acl-caller"].strip().splitlines()
    asker = server.url.replace("redis://", "redis://asker:secret@")
    code = every()["caller.py"]
    with redis.Redis.from_url(server.url) as client:
        client.execute_command(*line.split())
        assert said(start(code, {'Caller("shop")': f'Caller("shop", url="{asker}")'}, server.url)).startswith(
            "42\nthere is"
        )
        assert client.acl_log() == []


CONTAINERS = ("XGROUP", "XINFO")
REPLIES = set(redis_errors._WORDS)
OF_CONNECTIONS = {"ASKING", "CLIENT", "PING"}  # in the category @connection
OF_CLUSTERS = {"CLUSTER"}  # docs/python/operations.md, Cluster
OPTIONS = {"IDLE", "NOMKSTREAM", "RETRYCOUNT"}  # no commands, though they begin a tuple


@pytest.mark.parametrize(("name", "caller"), [("acl", False), ("acl-caller", True)])
def test_the_rights_name_every_command_that_the_library_sends(name: str, caller: bool) -> None:
    sent = {"XADD", "XDEL"} if caller else set()
    for path in [*(SOURCE / "redisipc/protocol").glob("*.py"), *(SOURCE / "redisipc/runtime").glob("*.py")]:
        if path.name.startswith("caller") is not caller:
            continue
        for command, sub in re.findall(r'\("([A-Z]{3,})"(?:, "([A-Z]+)")?', path.read_text("utf-8")):
            if command not in OF_CONNECTIONS | OF_CLUSTERS | OPTIONS | REPLIES:
                sent.add(f"{command}|{sub}" if command in CONTAINERS else command)
    [line] = every("redis")[name].strip().splitlines()
    assert {f"+{command.lower()}" for command in sent} == {
        word for word in line.split() if word.startswith("+") and word != "+@connection"
    }
