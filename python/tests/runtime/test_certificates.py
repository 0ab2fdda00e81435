"""After a loss, a TLS connection is made again without reading the certificates of the whole system each time."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from ..support_server import Server, free_port
from .faces import Face, until

MAKE = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost"


def certificate(folder: Path) -> list[str]:
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*MAKE.split(), *names, *files], check=True, capture_output=True)
    return ["--tls-cert-file", files[3], "--tls-key-file", files[1], "--tls-ca-cert-file", files[3]]


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[Server]:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    port = free_port()
    server = Server("--tls-port", str(port), "--tls-auth-clients", "no", *certificate(tmp_path))
    try:
        server.start()
    except RuntimeError:
        pytest.skip("this server was built without TLS")
    server.tls = f"rediss://127.0.0.1:{port}?ssl_ca_certs={tmp_path}/cert.pem"  # type: ignore[attr-defined]
    yield server
    server.stop()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Contexts that were made."""
    contexts: list[Any] = []
    new: Callable[..., ssl.SSLContext] = ssl.create_default_context

    def create(*arguments: Any, **options: Any) -> ssl.SSLContext:
        contexts.append(new(*arguments, **options))
        return contexts[-1]

    monkeypatch.setattr(ssl, "create_default_context", create)
    return contexts


async def cut(face: Face, server: Server, web: Any) -> None:
    with redis.Redis.from_url(server.url) as raw:
        before = raw.client_id()
        raw.client_kill_filter(_type="normal", skipme=True)

        def again() -> bool:
            ours = [row for row in raw.client_list() if ":web:" in row["name"]]
            # All three: one whose handshake the next cut breaks is a failure, after which they are read again.
            return len([row for row in ours if int(row["id"]) > before]) >= 3 and bool(web.connected)

        await until(again, 10.0)


async def test_they_are_read_once_and_again_when_a_file_changed(
    face: Face, tls: Server, made: list[Any], tmp_path: Path
) -> None:
    web = await face.connected("tls", "web", url=tls.tls)  # type: ignore[attr-defined]
    await cut(face, tls, web)
    count = len(made)
    await cut(face, tls, web)
    await cut(face, tls, web)
    assert len(made) == count
    os.utime(tmp_path / "cert.pem", (1, 1))
    await cut(face, tls, web)
    assert count < len(made)
    response = await face.call(web.send_to_group, 1, to="web", timeout=5)
    assert "no_handler" in response.reason


async def test_a_certificate_that_nobody_trusts_any_longer_is_refused_and_a_good_one_taken(
    face: Face, tls: Server, tmp_path: Path
) -> None:
    web = await face.connected("tls", "web", url=tls.tls)  # type: ignore[attr-defined]
    good = (tmp_path / "cert.pem").read_bytes()
    other = tmp_path / "other"
    other.mkdir()
    certificate(other)
    shutil.copy(other / "cert.pem", tmp_path / "cert.pem")
    with redis.Redis.from_url(tls.url) as raw:
        raw.client_kill_filter(_type="normal", skipme=True)
    await until(lambda: "certificate verify failed" in web.health().reason.lower(), 10.0)
    (tmp_path / "cert.pem").write_bytes(good)
    await until(lambda: web.connected, 10.0)
