"""The advice about a command that a server lacks."""

from __future__ import annotations

import pytest

from redisipc.protocol.redis_errors import advice_about_version

# As Redis 5.0.6 says it.
OLD = [
    "ERR unknown command `ACL`, with args beginning with: `WHOAMI`, ",
    "ERR Unknown subcommand or wrong number of arguments for 'CREATECONSUMER'. Try XGROUP HELP.",
    "ERR Invalid stream ID specified as stream command argument",
]


@pytest.mark.parametrize("refusal", OLD)
def test_a_command_that_the_server_does_not_have(refusal: str) -> None:
    assert "Redis 6.2 or later, or Valkey" in advice_about_version(refusal)


@pytest.mark.parametrize("refusal", ["OOM command not allowed", "ERR no such key", "NOPERM no permissions", ""])
def test_what_has_another_cause(refusal: str) -> None:
    assert advice_about_version(refusal) == ""


def test_a_sentinel_has_no_streams() -> None:
    refusal = "ERR unknown command 'XINFO', with args beginning with: 'STREAM' 'shop' "
    assert "If this is a Sentinel, name the master in its place" in advice_about_version(refusal)
