"""TLS: the command line and the library connect, or say what is wrong with the certificate and what to do."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import redisipc.asyncio
from redisipc import ConfigurationError, ConnectionLost, Stream

from .conftest import Cli

MAKE = "openssl req -x509 -newkey rsa:2048 -nodes"
Relay = Callable[[str], str]
LIMITS = (1.0, 5.0, 25.0)
"""Seconds for connecting, of one attempt after the other: on a busy machine a handshake of TLS may take seconds."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates: for 127.0.0.1, for another name, and one that has expired."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make certificates")
    made = tmp_path_factory.mktemp("tls")
    for name, days, who in (
        ("good", "1", "IP:127.0.0.1"),
        ("other", "1", "DNS:elsewhere"),
        ("old", "-1", "IP:127.0.0.1"),
    ):
        words = f"{MAKE} -days {days} -subj /CN={name} -addext subjectAltName={who} -keyout {name}.key -out {name}.pem"
        done = subprocess.run(words.split(), cwd=made, capture_output=True, text=True)
        if done.returncode and name == "old":
            # Newer versions of openssl refuse to make one.
            continue
        assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
def relay(folder: Path, url: str) -> Iterator[Relay]:
    """Listen with TLS and the certificate of that name, before the tests' server; the address."""
    target = urlsplit(url)
    with contextlib.ExitStack() as stack:

        def start(name: str) -> str:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            stack.callback(listener.shutdown, socket.SHUT_RDWR)
            where = (target.hostname or "localhost", target.port or 6379)
            threading.Thread(target=_accept, args=(listener, context, where), daemon=True).start()
            return f"127.0.0.1:{listener.getsockname()[1]}"

        yield start


def _accept(listener: socket.socket, context: ssl.SSLContext, where: tuple[str, int]) -> None:
    while True:
        try:
            raw, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_carry, args=(raw, context, where), daemon=True).start()


def _carry(raw: socket.socket, context: ssl.SSLContext, where: tuple[str, int]) -> None:
    """One connection; TLS is read and written by turns, since a TLS socket is not for two threads."""
    with raw:
        raw.settimeout(10)
        try:
            inner = context.wrap_socket(raw, server_side=True)
        except OSError:
            return
        with inner, socket.create_connection(where) as outer, contextlib.suppress(OSError):
            inner.settimeout(0.002)
            outer.settimeout(0.002)
            while True:
                for here, there in ((inner, outer), (outer, inner)):
                    try:
                        data = here.recv(65536)
                    except TimeoutError:
                        continue
                    if not data:
                        return
                    there.sendall(data)


def test_the_command_line_speaks_tls(cli: Cli, relay: Relay, folder: Path, serve: Any) -> None:
    serve("stock")
    where, ca = relay("good"), str(folder / "good.pem")
    by_option = cli("send", "stock", "7", "--url", f"rediss://{where}", "--ca", ca)
    assert (by_option.status, by_option.out) == (0, "7\n"), by_option.err
    by_url = cli("ping", "stock", "--url", f"rediss://{where}?ssl_ca_certs={ca}")
    assert by_url.status == 0, by_url.err


@pytest.mark.parametrize(
    ("name", "ca", "words"),
    [
        ("good", "", "the server's certificate is not trusted here: name the file of the CA that signed it"),
        ("good", "other", "the server's certificate is not trusted here: name the file of the CA that signed it"),
        ("other", "other", "connect by a name in the server's certificate"),
        ("old", "old", "renew the server's certificate, or check the clock of this machine"),
    ],
)
def test_a_wrong_certificate_is_named_and_what_to_do(
    cli: Cli, relay: Relay, folder: Path, name: str, ca: str, words: str
) -> None:
    if not (folder / f"{name}.pem").exists():
        pytest.skip("this openssl makes no certificate that has expired")
    url = f"rediss://{relay(name)}" + (f"?ssl_ca_certs={folder / ca}.pem" if ca else "")
    ran = cli("groups", "--url", url)
    assert ran.status == 5
    assert words in ran.err
    assert "_ssl.c" not in ran.err
    assert "signed it" not in ran.err or "--ca FILE" in ran.err
    for limit in LIMITS:
        with pytest.raises(ConnectionLost) as caught:
            Stream("shop", "web", url=url, connect_timeout=limit).connect()
        if words in str(caught.value):
            break
    assert words in str(caught.value)
    assert "is it running" not in str(caught.value)
    assert "_ssl.c" not in str(caught.value)


def test_files_that_are_not_there_and_schemes_that_do_not_fit(cli: Cli, relay: Relay, folder: Path, url: str) -> None:
    where = relay("good")
    ran = cli("groups", "--url", f"rediss://{where}?ssl_ca_certs=/nowhere.pem")
    assert (ran.status, "ssl_ca_certs in --url names '/nowhere.pem', and there is no such file" in ran.err) == (2, True)
    with pytest.raises(ConfigurationError, match=r"ssl_ca_certs names '/nowhere\.pem', and there is no such file"):
        Stream("shop", "web", url=f"rediss://{where}?ssl_ca_certs=/nowhere.pem").connect()
    ran = cli("groups", "--url", f"rediss://{where}", "--ca", "/nowhere.pem")
    assert (ran.status, "--ca names '/nowhere.pem', and there is no such file" in ran.err) == (2, True)
    ran = cli("groups", "--url", url, "--ca", str(folder / "good.pem"))
    assert (ran.status, "give a --url that begins with rediss://" in ran.err) == (2, True)
    ca = str(folder / "good.pem")
    ran = cli("groups", "--url", f"rediss://{where}", "--ca", ca, "--cert", ca)
    assert (ran.status, "missing or cannot be read: --key FILE" in ran.err) == (5, True), ran.err
    plain = cli("groups", "--url", f"redis://{where}")
    assert (plain.status, "Then write rediss:// for redis://" in plain.err) == (5, True), plain.err


async def test_asyncio_names_a_wrong_certificate_too(relay: Relay) -> None:
    words = "the server's certificate is not trusted here"
    for limit in LIMITS:
        with pytest.raises(ConnectionLost) as caught:
            await redisipc.asyncio.Stream(
                "shop", "web", url=f"rediss://{relay('good')}", connect_timeout=limit
            ).connect()
        if words in str(caught.value):
            break
    assert words in str(caught.value)
