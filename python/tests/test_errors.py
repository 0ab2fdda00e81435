"""The error tree: bases that a user would catch, pickling, and messages."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import pytest

from redisipc import errors

EXAMPLES: list[errors.RedisIPCError] = [
    errors.RequestTimeout("late", request_id="1", group="g", stream="s", elapsed=5.0),
    errors.Rejected({"code": 1}, request_id="1"),
    errors.Reject([1, 2]),
    errors.ContentError("no JSON", "$.a"),
    errors.EntryError("malformed", entry_id="1-1", fields=[(b"a", b"b")]),
    errors.ConnectionLost("gone"),
    errors.NotConnected("connect() first"),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_they_survive_pickling(error: errors.RedisIPCError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.RequestTimeout, TimeoutError),
        (errors.ConnectionLost, ConnectionError),
        (errors.ConfigurationError, ValueError),
        (errors.ContentError, ValueError),
    ],
)
def test_they_are_what_a_user_would_catch(kind: type[Exception], builtin: type[Exception]) -> None:
    assert issubclass(kind, builtin)


def test_the_drawing_at_the_top_shows_every_one() -> None:
    kinds = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, Exception)]
    for kind in kinds:
        assert kind.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize(
    ("content", "text"), [("no", "no"), ("", "rejected with ''"), ({"a": 1}, "rejected with {'a': 1}")]
)
def test_a_rejection_always_says_something(content: Any, text: str) -> None:
    assert str(errors.Rejected(content)) == text


def test_kinds_are_words_for_programs() -> None:
    assert errors.EntryError("x").kind == "malformed"
    assert errors.ReportedError("x", kind="refused").kind == "refused"
