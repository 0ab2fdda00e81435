"""Every Redis URL that a user may give is understood, or refused in a sentence that keeps its password to itself."""

from __future__ import annotations

import pytest

from redisipc_conformance.wire.address import Address, without_passwords


@pytest.mark.parametrize(
    ("url", "greeting"),
    [
        ("redis://cache", []),
        ("redis://cache/3", [("SELECT", "3")]),
        ("redis://cache?db=3", [("SELECT", "3")]),
        ("redis://cache/1?db=3", [("SELECT", "3")]),
        ("redis://:p%40ss%2F1@cache:7000/0", [("AUTH", "p@ss/1")]),
        ("redis://bob:x%20y@cache", [("AUTH", "bob", "x y")]),
        ("redis://bob@cache", [("AUTH", "bob", "")]),
        ("redis://bob:@cache", [("AUTH", "bob", "")]),
        ("rediss://:s@[::1]:7000/2", [("AUTH", "s"), ("SELECT", "2")]),
    ],
)
def test_a_connection_begins_with_what_the_url_says(url: str, greeting: list[tuple[str, ...]]) -> None:
    assert Address.parse(url).greeting() == greeting


@pytest.mark.parametrize(
    "url",
    [
        "redis://:p%40ss%2F1%3F%23@cache:7000/3",
        "redis://b%2Fb:x%20y%5B@cache/0",
        "redis://bob:@cache:1/0",
        "redis://[::1]:7000/0",
        "rediss://:s@[fe80::1]:7000/2",
    ],
)
def test_the_url_for_another_place_keeps_all_else(url: str) -> None:
    address = Address.parse(url)
    assert Address.parse(address.url()) == address
    moved = Address.parse(address.url("127.0.0.1", 9, tls=False))
    assert moved.greeting() == address.greeting()
    assert (moved.host, moved.port, moved.tls) == ("127.0.0.1", 9, False)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("unix://:secret@/tmp/r.sock", "the tap needs TCP"),
        ("redis://:secret@cache:port", "is not a URL"),
        ("redis://:sec/ret@cache", "is not a URL"),
        ("redis://:secret@::1:70/0", "is not a URL"),
        ("redis://:secret@cache/zero", "is a number, not 'zero'"),
        ("redis://:secret@cache?ssl_ca_certs=x", "no option ssl_ca_certs"),
    ],
)
def test_what_cannot_be_used_is_said_without_the_password(url: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as caught:
        Address.parse(url)
    assert "ret@" not in str(caught.value)


@pytest.mark.parametrize("secret", ["s3cret", "with/slash", "with@at", "a:b@c/d"])
def test_no_text_keeps_the_password_of_a_url(secret: str) -> None:
    told = without_passwords(f"run --redis redis://bob:{secret}@cache/0 --redis 'unix://:{secret}@/x' -- node a.mjs")
    assert secret not in told
    assert "redis://***@cache/0 --redis 'unix://***@/x' -- node a.mjs" in told


def test_a_text_without_a_secret_stays_as_it_is() -> None:
    text = "mail a@b.c, see https://a@b.c/x, redis://cache/0, group a@b"
    assert without_passwords(text) == text
