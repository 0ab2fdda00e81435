"""A Redis in a container, through testcontainers. Needs a Docker engine that answers."""

from __future__ import annotations

import contextlib
import gc
import warnings
from typing import Any

from ..wire.address import Address
from .base import NoServer, Server, _command, connect, free_port, wait_until_up
from .guard import Guard

DEFAULT_IMAGE = "redis:7"
CONTAINER_START_SECONDS = 60.0
PORTS_TRIED = 5
"""Other programs may take the port between the choice and the start."""


def engine_answers() -> str | None:
    """None if a Docker engine answers, else the reason.

    It asks the engine itself, since an installed client proves nothing.
    """
    try:
        import docker
    except ImportError:
        return "the docker package is not installed"
    with warnings.catch_warnings():
        # If no engine listens, the docker package leaves its socket to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        problem = _ping(docker)
        gc.collect()
    return problem


def _ping(docker: Any) -> str | None:
    try:
        client = docker.from_env(timeout=5)
        try:
            client.ping()
        finally:
            client.close()
    except Exception as error:
        return f"no Docker engine answers ({type(error).__name__})"
    return None


class ContainerServer(Server):
    """One container on a fixed host port, so that it can stop and start again at the same address."""

    kind = "container"

    def __init__(self, image: str = DEFAULT_IMAGE, config: tuple[str, ...] = (), password: str = ""):
        self.image = image
        self.password = password
        self.config = config
        problem = engine_answers()
        if problem:
            raise NoServer(problem)
        try:
            from testcontainers.core.container import DockerContainer
        except ImportError as error:
            raise NoServer("the package testcontainers is not installed") from error
        # Valkey's images have its programs under Redis' names as well.
        command = "redis-server --save '' --appendonly no --protected-mode no " + " ".join(config)
        command += f" --requirepass {password}" if password else ""
        self._container: Any = None
        self._guard: Guard | None = None
        try:
            for left in reversed(range(PORTS_TRIED)):
                self._port = free_port()
                container = DockerContainer(image).with_bind_ports(6379, self._port)
                self._container = container.with_command(command.strip())
                try:
                    _start(self._container)
                    break
                except Exception as error:
                    if not left or "already in use" not in str(error):
                        raise
                    self.close()
            self.id = str(self._container.get_wrapped_container().id)
            self._guard = Guard(self.id)
            self._host = str(self._container.get_container_host_ip())
            wait_until_up(self.url, CONTAINER_START_SECONDS)
        except BaseException as error:
            with contextlib.suppress(Exception):
                self.close()
            if isinstance(error, NoServer) or not isinstance(error, Exception):
                raise
            raise NoServer(f"image {image} cannot be run: {error}") from error

    @property
    def url(self) -> str:
        return Address(self._host, self._port, password=self.password or None).url()

    def stop(self) -> None:
        # Over the network: not every image has a shell or a command line client.
        with contextlib.suppress(OSError, NoServer), connect(self.url) as sock:
            _command(sock, "SAVE")
        self._container.get_wrapped_container().stop(timeout=5)

    def start(self, *, empty: bool = False) -> None:
        self._container.get_wrapped_container().start()
        wait_until_up(self.url, CONTAINER_START_SECONDS)
        if empty:
            with connect(self.url) as sock:
                _command(sock, "FLUSHALL")

    def kill(self) -> None:
        self._container.get_wrapped_container().kill()

    def freeze(self) -> None:
        self._container.get_wrapped_container().pause()

    def thaw(self) -> None:
        self._container.get_wrapped_container().unpause()

    def close(self) -> None:
        """Removes the container. Raises the engine's error if it cannot."""
        import docker

        with contextlib.suppress(docker.errors.NotFound):
            self._container.stop()
        # Not reached after a failure: the guard may succeed once this process has ended.
        if self._guard is not None:
            self._guard.dismiss()

    def __str__(self) -> str:
        return f"{self.about()} (container {self.image})"


def _start(container: Any) -> None:
    """Starts it without testcontainers' reaper: that is an image of its own, and a `Guard` does its work."""
    from testcontainers.core.config import testcontainers_config as config

    before, config.ryuk_disabled = config.ryuk_disabled, True
    try:
        container.start()
    finally:
        config.ryuk_disabled = before
