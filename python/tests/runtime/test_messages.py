"""Each mistake is named at once: what was expected, what came, and what to do. A row for each mistake; no Redis is needed."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import datetime
import decimal
import enum
import logging
import pickle
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import redis

import redisipc
import redisipc.asyncio
from redisipc import (
    Caller,
    Channel,
    ConfigurationError,
    ConnectionLost,
    ContentError,
    Diagnosis,
    Health,
    Observation,
    Options,
    Peer,
    ReasonCode,
    Reject,
    Rejected,
    RequestFailed,
    RequestTimeout,
    Stats,
    Stream,
    event,
)
from redisipc.protocol.content import encode
from redisipc.runtime.handshake_errors import words_of
from redisipc.runtime.response import Response
from redisipc.testing import make_request, make_response

NOWHERE = "redis://user:secret@localhost:1"


class Colour(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Order:
    sku: int = 1


class HalfLogger:
    """As those of some libraries."""

    def log(self, *_: Any, **__: Any) -> None: ...


class Model:
    """As pydantic's."""

    def model_dump(self) -> dict[str, int]:
        return {}


def stream(**options: Any) -> Callable[[], Any]:
    return lambda: Stream("shop", "web", **options)


def connect(**options: Any) -> Callable[[], Any]:
    return lambda: Stream("shop", "web").connect(**options)


def channel(**body: Any) -> Callable[[], Any]:
    return lambda: type("Shop", (Channel,), {"stream": "shop", "channel": "web", **body})


OPTIONS: list[tuple[str, Callable[[], Any], str]] = [
    ("timeout of 0", stream(timeout=0), "timeout must be a finite number of seconds above 0, got 0"),
    ("timeout as text", stream(timeout="5"), "timeout must be a number of seconds, got str"),
    ("connect_timeout of 0", stream(connect_timeout=0), "connect_timeout must be a finite number of seconds above 0, got 0"),
    ("close_timeout below 0", stream(close_timeout=-1), "close_timeout must be a finite number of seconds that is not"),
    ("concurrency of 0", stream(concurrency=0), "concurrency must be a whole number of at least 1, got 0"),
    ("expose_errors", stream(expose_errors="all"), 'expose_errors must be "text", "type" or "none", got \'all\''),
    ("wakeups", stream(wakeups=1), "wakeups must be True or False, got 1"),
    ("a typing error", stream(timout=3), "there is no option 'timout'; did you mean 'timeout'?"),
    ("host", stream(host="x"), "there is no option 'host'; it is one of Redis: connect(redis_options={'host': ...}), or url="),
    ("password", connect(password="x"), "there is no option 'password'; it is one of Redis: connect(redis_options="),
    ("options", stream(options={}), "options takes an Options object, got dict; give its parts by name"),
    ("ledger", stream(ledger={"x": 1}), "there is no option 'x' in ledger"),
    ("logger", stream(logger="x"), "logger must be a logging.Logger, got str; for a name, give logging.getLogger(name)"),
    ("half a logger", stream(logger=HalfLogger()), "got HalfLogger, which lacks isEnabledFor(); for a name, give"),
    ("a logger's class", stream(logger=logging.Logger), "got the class Logger; for a name, give logging.getLogger(name)"),
    ("a blank group", lambda: Stream("shop", " "), "group must not be blank"),
    ("a number as stream", lambda: Stream(3, "web"), "stream must be a string, got int"),  # type: ignore[arg-type]
    ("code without a word", lambda: Reject("x", code=" "), "code must be a word, a string that is not blank, got ' '"),
]  # fmt: skip
PLACES: list[tuple[str, Callable[[], Any], str]] = [
    ("url as number", stream(url=3), "url must be a string, such as redis://localhost:6379/0, got int"),
    ("an empty url", connect(url=""), "the url is empty; leave it out for REDIS_URL or redis://localhost:6379"),
    ("no scheme", connect(url="localhost:6379"), "url= cannot be used, 'localhost:6379': Redis URL must specify one of"),
    ("port", connect(url="redis://localhost:x"), "url= cannot be used, 'redis://localhost:x': the port must be a number"),
    ("database", connect(url="redis://localhost/x"), "the database must be a number; it must look like redis://"),
    ("a port of 0", connect(url="redis://h:0/0"), "'redis://h:0/0': the port must be a number between 1 and 65535; it must look"),
    ("a port over all", connect(url="redis://h:99999"), "'redis://h:99999': the port must be a number between 1 and 65535"),
    ("two ports", connect(url="redis://h:1:2/0"), "'redis://h:1:2/0': the port must be a number between 1 and 65535"),
    ("half an address", connect(url="redis://[::1/0"), "'redis://[::1/0': the host must be a name or an address, an IPv6 one"),
    ("a database below 0", connect(url="redis://h/-1"), "the database must be a number; it must look like redis://"),
    ("two databases", connect(url="redis://h/0/1"), "the database must be a number; it must look like redis://"),
    ("a database as option", connect(url="redis://h?db=x"), "Invalid value for 'db' in connection URL"),
    ("a database over all", connect(url="redis://h/2147483648"), "'redis://h/2147483648': no server has a database above"),
    ("such a one as option", connect(url="redis://h?db=9999999999"), "no server has a database above 2147483647"),
    ("one in the options", connect(redis_options={"db": 2**31}), "db in redis_options: no server has a database above"),
    ("a blank behind", connect(url="redis://h "), "'redis://h ': there is a blank in it (in a password, write %20); it must"),
    ("a blank in the password", connect(url="redis://:a b@h"), "'redis://***@h': there is a blank in it"),
    ("no path", connect(url="unix://"), "'unix://': it names no path; it must look like"),
    ("no path, but options", connect(url="unix://?db=1"), "'unix://?db=1': it names no path; it must look like"),
    ("another scheme", connect(url="valkey://h"), "'valkey://h': Redis URL must specify one of the following schemes"),
    ("a scheme in capitals", connect(url="REDIS://h"), "'REDIS://h': Redis URL must specify one of the following schemes"),
    ("an unknown option in the URL", connect(url="redis://h?nope=1"), "redis-py has no argument 'nope'; look at"),
    ("a limit as text", connect(url="redis://h?socket_timeout=a"), "Invalid value for 'socket_timeout' in connection URL"),
    ("a protocol", connect(url="redis://h?protocol=9"), "the connection's settings are wrong: protocol must be either 2 or 3"),
    ("a word of TLS", connect(url="rediss://h?ssl_cert_reqs=maybe"), "settings are wrong: Invalid SSL Cert"),
    ("a caller's word of TLS", lambda: Caller("shop", url="rediss://h?ssl_cert_reqs=maybe"), "settings are wrong: Invalid SSL"),
    ("redis_options as text", connect(redis_options="x"), "redis_options must be a dict of arguments of redis-py, such as"),
    ("an unknown argument", connect(redis_options={"hots": 1}), "redis-py has no argument 'hots'; look at redis_options"),
    ("url and client", lambda: Stream("shop", "web", url="redis://x").connect(client=object()), "give a url or a client, not both"),
    ("client as text", connect(client="x"), "client must be a sync redis-py client (redis.Redis or redis.RedisCluster), got"),
    ("a caller's url", lambda: Caller("shop", url=3), "url must be a string"),  # type: ignore[arg-type]
    ("a caller's options", lambda: Caller("shop", redis_options="x"), "redis_options must be a dict"),  # type: ignore[arg-type]
]  # fmt: skip
EVENTS: list[tuple[str, Callable[[], Any], str]] = [
    ("static", channel(f=staticmethod(event(lambda x: 1))), "Shop.f is a staticmethod; an event is a plain method"),
    ("class method", lambda: channel(f=event(classmethod(lambda cls: 1)))(), "Shop.f is a classmethod; an event is a plain"),  # type: ignore[call-overload]
    *(
        (name, channel(**{name: event(lambda self: 1)}), f"Shop.{name}: Channel needs the name {name} itself; give the method")
        for name in ("connect", "entry", "params", "run", "on_error", "events", "trigger_event", "source_group")
    ),
    ("a number as name", lambda: event(3), "an event's name must be a string that is not blank, got 3"),  # type: ignore[call-overload]
]  # fmt: skip


@pytest.mark.parametrize(("call", "text"), [pytest.param(*rest, id=id) for id, *rest in OPTIONS + PLACES + EVENTS])
def test_a_wrong_option_place_or_event_is_named(call: Callable[[], Any], text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        call()
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime.datetime(2026, 1, 1), "datetime is not JSON; send value.isoformat() (at $.a)"),
        (datetime.timedelta(1), "timedelta is not JSON; send value.total_seconds()"),
        (decimal.Decimal(1), "Decimal is not JSON; send str(value), or float(value)"),
        (uuid.uuid4(), "UUID is not JSON; send str(value)"),
        (Colour.RED, "Colour is not JSON; send value.value"),
        (Order(), "Order is not JSON; send dataclasses.asdict(value)"),
        (Model(), "Model is not JSON; send value.model_dump(mode='json')"),
        ({1}, "set is not JSON; send sorted(value), or list(value)"),
        (b"x", "bytes is not JSON; decode it, or send base64"),
        (float("nan"), "nan is not a JSON number"),
        ({1: 2}, "the key 1 is not a string but int; use str(key)"),
    ],
)
def test_content_that_is_no_json_says_what_to_send(value: Any, text: str) -> None:
    with pytest.raises(ContentError) as caught:
        encode({"a": value})
    assert text in str(caught.value)
    assert caught.value.path.startswith("$.a")


def test_a_bad_url_of_the_environment_is_named_without_its_password(monkeypatch: Any) -> None:
    monkeypatch.setenv("REDIS_URL", "http://user:secret@localhost")
    for call in (connect(), lambda: Caller("shop")):
        with pytest.raises(ConfigurationError) as caught:
            call()
        assert "REDIS_URL of the environment cannot be used, 'http://***@localhost': " in str(caught.value)
        assert "secret" not in str(caught.value)
        assert isinstance(caught.value.__cause__, ValueError)


def test_who_does_not_reach_redis_is_told_where_and_why() -> None:
    with pytest.raises(ConnectionLost) as caught:
        Stream("shop", "web", url=NOWHERE, connect_timeout=0.2).connect()
    told = [caught.value]

    async def connect_in_a_loop() -> None:
        with pytest.raises(ConnectionLost) as caught:
            await redisipc.asyncio.Stream("shop", "web", url=NOWHERE, connect_timeout=0.2).connect()
        told.append(caught.value)

    asyncio.run(connect_in_a_loop())
    for error in told:
        assert "no working connection to Redis at localhost:1 within 0.2 s: " in str(error)
        assert "secret" not in str(error)
        assert error.__cause__ is not None


def test_a_caller_that_does_not_reach_redis_says_so_in_one_sentence() -> None:
    with pytest.raises(RequestFailed) as caught:
        Caller("shop", url=NOWHERE).request(1, to="stock", timeout=0.2)
    assert "Connection refused; is Redis running" in str(caught.value)


@pytest.mark.parametrize("made", [Stream("shop", "web"), Caller("shop"), redisipc.asyncio.Stream("shop", "web")])
@pytest.mark.parametrize("work", [copy.copy, copy.deepcopy, pickle.dumps])
def test_what_has_connections_is_not_copied(made: Any, work: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=r"cannot be copied or pickled: it has connections; make another"):
        work(made)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "Error Multiple exceptions: [Errno 111] Connect call failed ('::1', 1, 0, 0), [Errno 111] Connect call failed "
            "('127.0.0.1', 1) connecting to localhost:1.",
            "Error connecting to localhost:1. Connection refused ([::1]:1), Connection refused (127.0.0.1:1)",
        ),
        ("Error 111 connecting to h:1. Connect call failed ('::1', 1).", "Error 111 connecting to h:1. Connection refused"),
        ("Error while reading from h:1 : (104, 'reset by peer')", "Error while reading from h:1 : reset by peer"),
        ('Error while reading from h:1 : (1, "it\'s TLS")', "Error while reading from h:1 : it's TLS"),
        ("Error while reading from h:1: ('closed',)", "Error while reading from h:1: closed"),
        ("Error 111 connecting to h:1. Connection refused.", "Error 111 connecting to h:1. Connection refused"),
        ("", "ConnectionError"),
        # Texts that no redis-py has today.
        ("No master: Redis<ConnectionPool<(host=h)>> - ConnectionError('x')", "the connection failed (ConnectionError)"),
        ("Protocol Error: b'HTTP/1.1 400'", "the connection failed (ConnectionError)"),
        ("lost (104, 'reset by peer') at h:1", "the connection failed (ConnectionError)"),
        ("<socket.socket object, fd=7>", "the connection failed (ConnectionError)"),
    ],
)  # fmt: skip
def test_the_objects_in_a_text_of_redis_py_become_words(said: str, words: str) -> None:
    assert words_of(ConnectionError(said)) == words


def test_a_response_is_true_where_it_is_fulfilled_and_shows_itself_in_short() -> None:
    assert Response("fulfilled", None, {})
    assert not Response("rejected", "no", {})
    assert repr(Response("rejected", "no", {})) == "<Response rejected: 'no'>"
    assert repr(Response("rejected", RequestTimeout("late"), {})) == "<Response rejected: RequestTimeout('late')>"
    assert len(repr(Response("rejected", "no" * 100_000, {}))) < 300
    assert repr(Response("rejected", {"card": "secret"}, {})) == "<Response rejected: dict of 1>"


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("secret", "str of 6"),
        (["secret"], "list of 1"),
        ({"card": "secret"}, "dict of 1"),
        (4111, "int"),
        (0.5, "float"),
        (True, "bool"),
        (None, "NoneType"),
    ],
)
def test_a_response_shows_nothing_of_what_was_answered(content: Any, shown: str) -> None:
    """Error trackers print local variables."""
    assert repr(Response("fulfilled", content, {})) == f"<Response fulfilled: {shown}>"
    reason = {"error": {"code": "declined", "message": "the card was declined", "data": content}}
    assert repr(Response("rejected", reason, {})) == "<Response rejected: 'the card was declined'>"


def test_a_rejection_names_group_and_request_and_stays_short() -> None:
    error = Rejected("no" * 10_000, group="stock", request_id="9f86d0")
    assert str(error).startswith("group 'stock' rejected request 9f86d0: nono")
    assert len(str(error)) < 600
    assert len(error.content) == 20_000


def test_a_logger_and_an_adapter_are_loggers() -> None:
    Stream("shop", "web", logger=logging.getLogger("x"))
    Stream("shop", "web", logger=logging.LoggerAdapter(logging.getLogger("x"), {}))  # type: ignore[arg-type]


def test_a_request_that_was_received_is_not_copied() -> None:
    request = make_request({"password": "hunter2"})
    assert "hunter2" not in repr(request)
    for work in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="it is answered where it came; pass its content and its id"):
            work(request)


VALUES = [
    make_response({"a": 1}),
    make_response(reason={"code": 1}),
    make_response(error=RequestTimeout("late", diagnosis="held", group="stock")),
    Health("up"),
    Stats(),
    Options(timeout=3),
    Peer("a1b2c3", 0.5),
    Observation("lost", "1", "web", 1.0),
    ReasonCode.TOO_OLD,
    Diagnosis.HELD,
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_public_values_are_copied_pickled_and_short(value: Any) -> None:
    for work in (copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))):
        again = work(value)
        assert (type(again), repr(again)) == (type(value), repr(value))
    assert len(repr(value)) < 400


def test_no_repr_shows_who_logs_in() -> None:
    url = "redis://user:hunter2@localhost:1"
    for made in (
        Stream("shop", "web", url=url),
        redisipc.asyncio.Stream("shop", "web", url=url),
        Caller("shop", url=url),
    ):
        assert "hunter2" not in repr(made)
        assert len(repr(made)) < 100


CHAINS: list[tuple[str, Callable[[], Any], type[BaseException] | None]] = [
    ("no JSON", lambda: encode([object()]), None),
    ("no number", lambda: encode(float("nan")), None),
    ("no Unicode", lambda: encode(["\ud800"]), None),
    ("no timeout", stream(timeout="x"), None),
    ("no such handler", lambda: Stream("a", "b").on_request(lambda: 1), None),
    ("a url of another kind", connect(url="http://x"), ValueError),
    ("a word in a url", connect(url="redis://x?foo=1"), TypeError),
    ("nobody there", connect(url=NOWHERE, connect_timeout=0.1), redis.exceptions.ConnectionError),
]


@pytest.mark.parametrize(("call", "cause"), [pytest.param(*rest, id=id) for id, *rest in CHAINS])
def test_an_error_has_the_cause_that_helps_and_no_other(call: Callable[[], Any], cause: Any) -> None:
    with pytest.raises(redisipc.RedisIPCError) as caught:
        call()
    error = caught.value
    if cause is None:
        assert error.__cause__ is None
        assert error.__context__ is None or error.__suppress_context__
    else:
        assert isinstance(error.__cause__, cause)
