"""The claims of a testee in ``hello``: their consequences, and those that are refused."""

from __future__ import annotations

from typing import Any

import pytest

from redisipc_conformance.testee.claims import Claims, needs, problem, roles_of


def hello(*profiles: str, **more: Any) -> dict[str, Any]:
    return {"profiles": list(profiles), "features": [], **more}


def test_the_profiles_are_those_of_the_table_with_what_they_build_on() -> None:
    assert list(needs()) == ["base", "ask", "group", "channel", "resilient"]
    assert needs()["ask"] == ()
    assert set(needs()["resilient"]) == {"base", "group"}


@pytest.mark.parametrize(
    ("claimed", "roles"),
    [
        (hello("base"), {"requester", "responder"}),
        (hello("base", roles=["requester"]), {"requester"}),
        (hello("ask"), {"caller"}),
        (hello("base", "ask", roles=["responder"]), {"responder", "caller"}),
    ],
)
def test_roles_follow_from_the_profiles_where_none_is_named(claimed: dict[str, Any], roles: set[str]) -> None:
    assert Claims.of(claimed).roles == roles


def test_only_who_says_so_is_serial() -> None:
    assert not Claims.of(hello("base")).serial
    assert Claims.of(hello("base", serial=True)).serial


def test_the_callers_role_comes_last_and_without_being_named() -> None:
    assert roles_of(["base", "ask"], ["requester"]) == ("requester", "caller")


@pytest.mark.parametrize("claimed", [hello("base"), hello("ask"), hello("base", "ask", "group", "resilient")])
def test_what_can_be_claimed_has_no_problem(claimed: dict[str, Any]) -> None:
    assert problem(claimed) == ""


@pytest.mark.parametrize(
    ("claimed", "words"),
    [
        (hello("base", "resilient"), "the profile resilient without group"),
        (hello("ask", "channel"), "the profile channel without base"),
        (hello("ask", roles=["requester"]), "the role requester without the profile base"),
    ],
)
def test_a_claim_without_what_it_builds_on_is_told(claimed: dict[str, Any], words: str) -> None:
    assert words in problem(claimed)
