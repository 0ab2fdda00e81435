"""Names on the wire."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redisipc.errors import ConfigurationError
from redisipc.protocol.names import Names, check_name, instance_of, new_instance_id, new_request_id
from redisipc.protocol.settings import Settings, check_timeout


@given(st.randoms())
def test_ids_are_lower_case_hex_of_fixed_length(source: random.Random) -> None:
    assert re.fullmatch("[0-9a-f]{21}", new_request_id(source))
    assert re.fullmatch("[0-9a-f]{6}", new_instance_id(source))


def test_keys_and_consumers_are_those_of_the_wire() -> None:
    names = Names.of("shop", "web", "a1b2c3")
    assert names.dispatcher == b"dispatcher_a1b2c3_0"
    assert names.consumer == b"consumer_a1b2c3_0"
    assert names.registration == b"shop:web:a1b2c3:consumers"
    assert names.registration_of(b"x") == b"shop:web:x:consumers"


@pytest.mark.parametrize(
    ("name", "instance"),
    [
        (b"consumer_a1b2c3_0", b"a1b2c3"),
        (b"dispatcher_a1b2c3_12", b"a1b2c3"),
        (b"consumer_a_b_1", b"a_b"),
        (b"worker-1", None),
        (b"consumer_x", None),
    ],
)
def test_the_instance_is_read_from_a_consumers_name(name: bytes, instance: bytes | None) -> None:
    assert instance_of(name) == instance


@pytest.mark.parametrize("name", ["", " ", "\n\t", "\ud800", 3, None])
def test_a_blank_or_wrong_name_is_refused(name: object) -> None:
    with pytest.raises(ConfigurationError):
        check_name("group", name)  # type: ignore[arg-type]


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), "5", None, True])
def test_a_timeout_that_is_no_time_is_refused(timeout: object) -> None:
    with pytest.raises(ConfigurationError):
        check_timeout(timeout)  # type: ignore[arg-type]


def test_settings_refuse_limits_below_one() -> None:
    with pytest.raises(ConfigurationError, match="concurrency"):
        Settings("s", "g", concurrency=0)
