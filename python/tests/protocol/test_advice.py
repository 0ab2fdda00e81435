"""The advice about a command that a server lacks."""

from __future__ import annotations

import pytest

from redisipc.protocol.commands import Failure
from redisipc.protocol.events import Outgoing
from redisipc.protocol.outcomes import never_written, not_looked_for, refused
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


def test_a_full_stop_of_redis_is_not_followed_by_a_semicolon() -> None:
    said = "OOM command not allowed when used memory > 'maxmemory'."
    outgoing = Outgoing(b"9f86", b"1", "stock", 0.0, 1.0)
    outgoing.refusal = said
    for outcome in (refused(Failure("OOM", said)), never_written(outgoing), not_looked_for(outgoing)):
        assert "'maxmemory'" in outcome.reason
        assert not outcome.reason.endswith(".")
        assert ".;" not in outcome.reason
