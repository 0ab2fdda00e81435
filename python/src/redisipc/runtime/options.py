"""The options that a user may set, with units and defaults; the gem's option names are understood as well."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from redisipc.calls import explained
from redisipc.errors import ConfigurationError
from redisipc.protocol.settings import (
    BLOCK,
    BLOCK_WITH_FAILOVER,
    Default,
    Settings,
    check_grace,
    check_shared,
    check_timeout,
)
from redisipc.version import __version__

from .client import REDIS_OPTIONS
from .hooks import check_function, is_async
from .observation import Observation

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .keywords import OptionKeywords


@explained
@dataclass(frozen=True)
class Options:
    """Options of an endpoint. Times are seconds, sizes are numbers of requests.

    Times:

    - ``timeout``: how long a request waits for its answer, if the call has no timeout of its own. With at most 8 seconds,
      a request runs at most once (G4), and no other instance takes it over in time if its responder crashes.
    - ``connect_timeout``: how long ``connect()`` tries to reach Redis before it raises.
    - ``close_timeout``: how long closing waits for handlers and own requests.

    Limits:

    - ``concurrency``: handlers that run at once. The gem's number of consumers.
    - ``max_queue``: how many requests wait here while all handlers are busy and the group has no other instance. Further
      requests are rejected.
    - ``max_outstanding``: how many own requests may be without an answer. One more raises ``Overloaded``.
    - ``max_request_age``: a request that is older when it arrives is rejected. None: no limit.

    Errors:

    - ``expose_errors``: what the requester learns of an exception in a handler. ``"type"``: its type and the request's id;
      ``"text"``: also its text; ``"none"``: only the id. The text always goes to ``on_error``, or to the log.

    Observers:

    - ``observers``: functions that are called with an ``Observation`` for each step of a request or of a handler. They run
      where callbacks run. An observer that raises is reported and not called again.

    Redis:

    - ``early_end``: whether a request to a group that does not exist ends as ``NoResponders`` before its timeout. For this,
      the endpoint asks Redis for the groups half a second after it stored the request, and once more later. If the answer
      has come by then, it does not ask.
    - ``wakeups``: whether instances of a group wake each other at once, by pub/sub. This needs the third connection.
    - ``janitor_age``: the endpoint trims entries older than this from the stream (``XTRIM MINID``), answered or not. Set it
      well above the longest timeout of any peer on the stream. None: never.
    - ``read_pause``: how long an idle group that reads only entries of other groups may wait before it reads again. This
      saves processor time on streams with many groups. It may delay the first request to such a group by that time. On a
      quiet stream that request comes at once. 0: the group never waits.

    The gem's options may be given in the same places: ``ledger={"entry_timeout": 5}``, or ``entry_timeout=5``, is
    ``timeout``; ``consumer={"pool_size": 3}`` is ``concurrency``. Dispatchers, connection pools, execution intervals
    and ``cleanup_interval`` are accepted without effect: here one reader takes requests as they come, there are two or
    three connections, and no handler polls.
    """

    timeout: float = Default.TIMEOUT
    connect_timeout: float = 5.0
    close_timeout: float = 10.0

    concurrency: int = Default.CONCURRENCY
    max_queue: int = Default.MAX_QUEUE
    max_outstanding: int = Default.MAX_OUTSTANDING
    max_request_age: float | None = Default.MAX_REQUEST_AGE

    expose_errors: Literal["text", "type", "none"] = "type"

    observers: Sequence[Callable[[Observation], None]] = ()

    early_end: bool = Default.EARLY_END
    wakeups: bool = Default.WAKEUPS
    janitor_age: float | None = Default.JANITOR_AGE
    read_pause: float = Default.READ_PAUSE

    def __post_init__(self) -> None:
        check_shared(self)
        check_timeout(self.connect_timeout, "connect_timeout")
        check_grace("close_timeout", self.close_timeout)
        if self.janitor_age is not None and self.janitor_age < self.timeout:
            raise ConfigurationError(
                f"janitor_age ({self.janitor_age:g} s) is less than timeout ({self.timeout:g} s): it would delete "
                "requests that are still waited for; set it well above the longest timeout of anyone on the stream"
            )
        if self.expose_errors not in ("text", "type", "none"):
            raise ConfigurationError(f'expose_errors must be "text", "type" or "none", got {self.expose_errors!r}')
        object.__setattr__(self, "observers", check_observers(self.observers))

    def replace(self, **given: Unpack[OptionKeywords]) -> Options:
        """A copy of these options with changes. Raises ``ConfigurationError`` for an unknown name."""
        changes = _translated(given)
        for name in changes:
            if name not in _NAMES:
                import difflib  # imported here, since it is rare and costs time

                close = difflib.get_close_matches(name, [*_NAMES, *_GEM_NAMES], 1)
                hint = f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(sorted(_NAMES))}"
                if name == "redis_options":
                    hint = "; connect(redis_options={...}) takes it, and a Caller"
                if name in REDIS_OPTIONS:
                    hint = f'; it is one of Redis: connect(redis_options={{{name!r}: ...}}), or url="redis://..."'
                raise ConfigurationError(f"there is no option {name!r}{hint}")
        return dataclasses.replace(self, **changes) if changes else self


def check_observers(observers: Any) -> tuple[Callable[[Observation], None], ...]:
    """Observers as a tuple, or ``ConfigurationError``."""
    if not isinstance(observers, (list, tuple)):
        kind = type(observers).__name__
        raise ConfigurationError(f"observers takes a list of functions, such as observers=[note], got {kind}")
    for observer in observers:
        check_function("observers", observer, "the Observation")
        if is_async(observer):
            raise ConfigurationError(
                "an observer is a plain function, not an async one; let it put things into a queue"
            )
    return tuple(observers)


def settings_of(
    options: Options,
    stream: str,
    group: str,
    responder: bool = True,
    unserved_reason: Callable[[bytes], str] | None = None,
    fails_over: bool = False,
) -> Settings:
    """The settings of the core. ``responder``: there is a handler; ``unserved_reason``: why a request without one is rejected.

    ``fails_over``: another server may take over.
    """
    return Settings(
        stream,
        group,
        responder=responder,
        unserved_reason=unserved_reason,
        timeout=options.timeout,
        concurrency=options.concurrency,
        max_queue=options.max_queue,
        max_outstanding=options.max_outstanding,
        max_request_age=options.max_request_age,
        early_end=options.early_end,
        wakeups=options.wakeups,
        janitor_age=options.janitor_age,
        read_pause=options.read_pause,
        version=__version__,
        block=BLOCK_WITH_FAILOVER if fails_over else BLOCK,
    )


_NAMES = frozenset(field.name for field in dataclasses.fields(Options))
_GEM_NAMES = {
    # The gem's option: ours. None: understood and without effect, since no handler polls and connections are a fixed
    # few.
    "entry_timeout": "timeout",
    "cleanup_interval": None,
    "pool_size": None,
    "max_pool_size": None,
}
_GEM_GROUPS: dict[str, dict[str, str | None]] = {
    "ledger": {"entry_timeout": "timeout", "cleanup_interval": None},
    "consumer": {"pool_size": "concurrency", "execution_interval": None},
    "dispatcher": {"pool_size": None, "execution_interval": None},
}


def _translated(given: Mapping[str, Any]) -> dict[str, Any]:
    """The gem's names replaced by ours."""
    ours: dict[str, Any] = {}
    for name, value in given.items():
        if name in _GEM_GROUPS:
            if not isinstance(value, Mapping):
                raise ConfigurationError(f"{name} must be a dict, such as {name}={{...}}, got {type(value).__name__}")
            for inner, setting in value.items():
                if inner not in _GEM_GROUPS[name]:
                    known = ", ".join(sorted(_GEM_GROUPS[name]))
                    raise ConfigurationError(f"there is no option {inner!r} in {name}; there are {known}")
                target = _GEM_GROUPS[name][inner]
                if target is not None:
                    ours[target] = setting
        elif name in _GEM_NAMES:
            target = _GEM_NAMES[name]
            if target is not None:
                ours[target] = value
        else:
            ours[name] = value
    return ours
