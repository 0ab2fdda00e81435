"""Which Redis is taken, what is said about it, and that nothing is left of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from redisipc_conformance.server import NoServer, Server, choose, container, private, program
from redisipc_conformance.server import start as start_server
from redisipc_conformance.server.base import _command, ask, connect
from redisipc_conformance.server.container import ContainerServer, engine_answers
from soon import soon

needs_engine = pytest.mark.skipif(engine_answers() is not None, reason="needs a Docker engine")
RUN = [sys.executable, "-m", "redisipc_conformance.server"]


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine without any Redis: no URL, no engine, no program on the PATH."""
    for name in ("REDIS_URL", "REDIS_SERVER", "REDIS_IMAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent.sock")
    monkeypatch.setenv("PATH", "/nonexistent")
    return monkeypatch


def silent(url: str) -> bool:
    try:
        ask(url)
    except OSError:
        return True
    return False


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([*RUN, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


SAY_AND_WAIT = ["--", sys.executable, "-uc", "import os, time; print(os.environ['REDIS_URL']); time.sleep(60)"]


def test_with_nothing_at_hand_the_embedded_one_serves(bare: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    with choose(say=said.append) as server:
        assert server.kind == "embedded"
        assert server.about().brand == "Valkey"
    assert [line.split(",")[0] for line in said[:2]] == ["Redis: not container", "Redis: not local"]
    assert said[2].startswith("Redis: Valkey ")
    assert silent(server.url)


def test_a_program_on_the_path_goes_before_it(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "redis-server").symlink_to(program())
    bare.setenv("PATH", str(tmp_path))
    with choose() as server:
        assert server.kind == "local"


def test_a_url_goes_before_all_and_is_not_ended(bare: pytest.MonkeyPatch) -> None:
    with choose("embedded") as mine:
        bare.setenv("REDIS_URL", mine.url)
        with choose() as given:
            assert (given.kind, given.url) == ("REDIS_URL", mine.url)
        assert not silent(mine.url)


def test_a_url_where_nobody_answers_is_not_replaced(bare: pytest.MonkeyPatch) -> None:
    bare.setattr("redisipc_conformance.server.url.CONNECT_SECONDS", 0.1)
    bare.setenv("REDIS_URL", "redis://127.0.0.1:1")
    with pytest.raises(NoServer, match=r"127\.0\.0\.1:1"):
        choose()


def test_an_unknown_choice_names_the_known_ones() -> None:
    with pytest.raises(NoServer, match="auto, container, local, embedded, model or a redis:// URL, not 'docker'"):
        choose("docker")


def test_a_private_one_is_another_of_the_same_kind() -> None:
    with choose("embedded") as server, private(server) as other:
        assert other.url != server.url
        assert other.about() == server.about()


def test_the_command_gets_the_url_and_its_code_is_returned() -> None:
    code = "import os, sys; print(os.environ['REDIS_URL']); sys.exit(5)"
    done = subprocess.run(
        [*RUN, "--redis", "embedded", "--", sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 5
    assert done.stdout.startswith("redis://127.0.0.1:")
    assert done.stdout.strip() in done.stderr
    assert silent(done.stdout.strip())


def test_sigterm_ends_the_command_first_and_then_the_server() -> None:
    process = start("--redis", "embedded", *SAY_AND_WAIT)
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=15)
    assert process.returncode == 128 + signal.SIGTERM
    assert silent(url)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_killed_runner_leaves_no_server() -> None:
    code = (
        "from redisipc_conformance.server import choose; import time\n"
        "server = choose('embedded'); print(server.url, flush=True); time.sleep(60)"
    )
    runner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert runner.stdout is not None
    url = runner.stdout.readline().strip()
    runner.kill()
    runner.communicate()
    assert soon(lambda: silent(url))


@needs_engine
class TestContainer:
    @pytest.fixture
    def container(self) -> Iterator[Server]:
        try:
            server = choose("container", image=os.environ.get("REDIS_IMAGE"))
        except NoServer as error:
            pytest.skip(str(error))
        yield server
        server.close()

    def ids(self) -> set[str]:
        import docker

        client = docker.from_env()
        try:
            return {container.id for container in client.containers.list(all=True)}
        finally:
            client.close()

    def test_closed_it_is_removed(self, container: Server) -> None:
        assert isinstance(container, ContainerServer)
        mine = container.id
        assert mine in self.ids()
        container.close()
        assert mine not in self.ids()
        assert silent(container.url)

    def test_closed_while_stopped_it_is_removed(self, container: Server) -> None:
        assert isinstance(container, ContainerServer)
        container.stop()
        container.close()
        assert container.id not in self.ids()

    def test_a_killed_runner_leaves_no_container(self) -> None:
        code = (
            "from redisipc_conformance.server import choose; import time\n"
            "server = choose('container'); print(server.id, flush=True); time.sleep(60)"
        )
        runner = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert runner.stdout is not None
        mine = runner.stdout.readline().strip()
        assert mine in self.ids()
        runner.kill()
        runner.communicate()
        assert soon(lambda: mine not in self.ids())

    def test_an_image_that_is_none_is_no_server(self) -> None:
        with pytest.raises(NoServer, match=r"no-such-image\.invalid"):
            choose("container", image="no-such-image.invalid/redis:0")


def test_one_of_a_name_is_started_and_the_name_of_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "my-server").symlink_to(program())
    with start_server(str(tmp_path / "my-server"), ("--maxclients", "77")) as server:
        assert server.about() == ask(server.url)
    with pytest.raises(NoServer, match="no-such-program"):
        start_server("no-such-program")


def test_a_frozen_one_says_nothing_until_it_is_thawed() -> None:
    with start_server("") as server:
        server.freeze()
        with pytest.raises(OSError, match="timed out"):
            server.about()
        server.thaw()
        server.about()


def test_a_killed_one_forgets_what_it_did_not_save() -> None:
    def tell(*command: str) -> object:
        with connect(server.url) as sock:
            return _command(sock, *command)

    with start_server("") as server:
        tell("SET", "saved", "1")
        tell("SAVE")
        tell("SET", "unsaved", "1")
        server.kill()
        assert silent(server.url)
        server.start()
        assert (tell("EXISTS", "saved"), tell("EXISTS", "unsaved")) == (1, 0)
        server.kill()
        server.start(empty=True)
        assert tell("DBSIZE") == 0


@needs_engine
def test_a_container_takes_another_port_if_somebody_was_quicker(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("0.0.0.0", 0)) as other:
        taken = other.getsockname()[1]
        ports = iter([taken, taken, container.free_port()])
        monkeypatch.setattr(container, "free_port", lambda: next(ports))
        server = ContainerServer()
        try:
            assert str(taken) not in server.url
            ask(server.url)
        finally:
            server.close()
