"""The order of the places where the suite looks for a Redis, and the messages about it."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from ..wire.address import without_passwords
from . import rights
from .base import NoServer, Server
from .container import DEFAULT_IMAGE, ContainerServer
from .embedded import embedded_binary
from .local import LocalServer, find_binary
from .model import ModelServer
from .url import GivenServer

AUTO = "auto"


def program() -> Path:
    """A server program of this machine, for tests that start servers with options of their own: that on the PATH, else the
    embedded one. Raises NoServer when there is neither."""
    return find_binary() or embedded_binary()


def _local(password: str, config: tuple[str, ...]) -> Server:
    binary = find_binary()
    if binary is None:
        raise NoServer("no redis-server or valkey-server on the PATH")
    return LocalServer(binary, config=config, password=password)


def _embedded(password: str, config: tuple[str, ...]) -> Server:
    return LocalServer(embedded_binary(), kind="embedded", config=config, password=password)


def choose(
    wanted: str = AUTO,
    *,
    image: str | None = None,
    say: Callable[[str], object] | None = None,
    locked: bool = False,
    least: bool = False,
) -> Server:
    """A running server. `locked`: a server that is started has a password, which only its URL and its taps know.
    `least`: it has the user of `rights` as well, with that password.

    `wanted`: `auto`, `container`, `local`, `embedded`, `model`, or a redis:// URL. `auto` takes the first that is available:
    the environment's REDIS_URL, a container (`image`, else REDIS_IMAGE, else redis:7), a redis-server on the PATH
    (or REDIS_SERVER), the embedded Valkey. `say` gets one line for each kind that was skipped, and one for the chosen
    one. Raises NoServer when there is none.
    """
    report = say or (lambda line: None)
    image = image or os.environ.get("REDIS_IMAGE") or DEFAULT_IMAGE
    password = secrets.token_hex(16) if locked else ""
    config = rights.config(password) if least else ()
    if least and (
        not locked or "://" in wanted or wanted == "model" or (wanted == AUTO and os.environ.get("REDIS_URL"))
    ):
        raise NoServer(
            "the least rights are those of a user on a server that the suite starts: --redis local or container"
        )
    kinds: dict[str, Callable[[], Server]] = {
        "container": lambda: ContainerServer(image, config, password=password),
        "local": lambda: _local(password, config),
        "embedded": lambda: _embedded(password, config),
    }
    only_when_asked: dict[str, Callable[[], Server]] = {"model": ModelServer}
    if "://" in wanted:
        server: Server = GivenServer(wanted, "URL")
    elif wanted in kinds:
        server = kinds[wanted]()
    elif wanted in only_when_asked:
        server = only_when_asked[wanted]()
    elif wanted == AUTO:
        server = _first(kinds, report)
    else:
        raise NoServer(f"--redis takes auto, container, local, embedded, model or a redis:// URL, not {wanted!r}")
    report(f"Redis: {server} at {without_passwords(server.url)}")
    return server


def _first(kinds: dict[str, Callable[[], Server]], report: Callable[[str], object]) -> Server:
    given = os.environ.get("REDIS_URL")
    if given:
        # A user who names a server means that one. Another one in its place would hide a mistake.
        return GivenServer(given)
    problems = []
    for name, start in kinds.items():
        try:
            return start()
        except NoServer as error:
            problems.append(f"{name}: {error}")
            report(f"Redis: not {name}, {error}")
    raise NoServer("no Redis is available here. " + "; ".join(problems))


def start(name: str, config: tuple[str, ...] = (), environment: Mapping[str, str] | None = None) -> Server:
    """A private server by its name: a program (a path, or found on the PATH), or an image, which has a colon.

    An empty name is `program()`. `config` is added to its command line; `environment` is that of a program alone.
    Raises NoServer when it is not available.
    """
    if not name:
        return LocalServer(program(), config=config, environment=environment)
    found = shutil.which(os.path.expanduser(name))
    if found:
        return LocalServer(Path(found), config=config, environment=environment)
    if ":" not in name:
        raise NoServer(f"{name!r} is neither a server program (a path, or on the PATH) nor an image (name:tag)")
    return ContainerServer(name, config)


def private(like: Server) -> Server:
    """Another server of the same kind and version, for a scenario that may change or stop it."""
    if isinstance(like, ContainerServer):
        return ContainerServer(like.image, like.config, password=like.password)
    if isinstance(like, LocalServer):
        return like.twin()
    raise NoServer(f"a {like.kind} server has no twin")
