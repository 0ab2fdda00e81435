"""A Redis in a container, through testcontainers. Needs a Docker engine that answers."""

from __future__ import annotations

import contextlib
import os
from typing import Any

from .base import NoServer, Server, free_port, wait_until_up

DEFAULT_IMAGE = "redis:7"
START_SECONDS = 60.0


def engine_answers() -> str | None:
    """None when a Docker engine is there, else why not. Asks the engine itself: an installed client proves nothing."""
    try:
        import docker
    except ImportError:
        return "the docker package is not installed"
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
    """One container on a fixed host port, so that it can stop and come back at the same place."""

    kind = "container"

    def __init__(self, image: str = DEFAULT_IMAGE, config: tuple[str, ...] = ()):
        self.image = image
        problem = engine_answers()
        if problem:
            raise NoServer(problem)
        try:
            from testcontainers.core.container import DockerContainer
        except ImportError as error:
            raise NoServer("the package testcontainers is not installed") from error
        program = "valkey-server" if "valkey" in image else "redis-server"
        self._port = free_port()
        command = f"{program} --save '' --appendonly no --protected-mode no " + " ".join(config)
        container: Any = DockerContainer(image).with_bind_ports(6379, self._port).with_command(command.strip())
        self._container = container
        try:
            self._start(container)
            wait_until_up(self.url, START_SECONDS)
        except NoServer:
            self.close()
            raise
        except Exception as error:
            self.close()
            raise NoServer(f"image {image} cannot be run: {error}") from error

    @staticmethod
    def _start(container: Any) -> None:
        try:
            container.start()
        except Exception:
            # The reaper is an image of its own, which an offline machine may not have.
            from testcontainers.core.config import testcontainers_config

            if testcontainers_config.ryuk_disabled or os.environ.get("TESTCONTAINERS_RYUK_DISABLED"):
                raise
            testcontainers_config.ryuk_disabled = True
            container.start()

    @property
    def url(self) -> str:
        host = self._container.get_container_host_ip() if self._container.get_wrapped_container() else "127.0.0.1"
        return f"redis://{host}:{self._port}/0"

    def stop(self) -> None:
        with contextlib.suppress(Exception):
            self._container.exec(["sh", "-c", "redis-cli save || valkey-cli save"])
        self._container.get_wrapped_container().stop(timeout=5)

    def start(self, *, empty: bool = False) -> None:
        self._container.get_wrapped_container().start()
        wait_until_up(self.url, START_SECONDS)
        if empty:
            from .base import _command, connect

            with connect(self.url) as sock:
                _command(sock, "FLUSHALL")

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._container.stop()

    def __str__(self) -> str:
        return f"{self.about()} (container {self.image})"
