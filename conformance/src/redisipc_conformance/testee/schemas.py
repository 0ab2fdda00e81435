"""The messages of the testee protocol, checked against ``schemas/1.0/testee`` in both directions, always.

A method has a file for its call (``$defs``: ``params``) and one for its answer (``result``), a notification has one (``params``).
``message.json`` is the line itself.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from jsonschema import Draft202012Validator, ValidationError

from redisipc_conformance.files import schema_file
from redisipc_conformance.jsonrefs import inlined

PROTOCOL = "1.0"
_LONGEST_SHOWN = 160


class MessageBroken(Exception):
    """A message that does not belong to the protocol.

    ``name``: the message (``answer to connect``). ``path``: the place in it (``$.instance``). ``expected``: what should
    be there.
    """

    def __init__(self, name: str, path: str, seen: str, expected: str) -> None:
        super().__init__(f"{name}: at {path} {seen}; expected {expected}")
        self.name = name
        self.path = path
        self.seen = seen
        self.expected = expected


@dataclass(frozen=True)
class Answer:
    """The call ``id`` is done. ``result`` is not checked yet, since only the caller knows the method."""

    id: int
    result: dict[str, Any]


@dataclass(frozen=True)
class Refusal:
    """The call ``id`` was refused with a JSON-RPC error. ``id`` None: the testee could not even read the line."""

    id: int | None
    code: int
    message: str
    data: Any = None


@dataclass(frozen=True)
class Notification:
    """Something happened. Checked."""

    method: str
    params: dict[str, Any]


class TesteeSchemas:
    """All messages of the protocol. It is made once, is used everywhere, and has no state."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "message.json").is_file():
            raise FileNotFoundError(f"no schemas of the testee protocol in {folder}")
        message = _read(folder / "message.json")
        self._validators: dict[tuple[str, str], Draft202012Validator] = {
            ("message", kind): _validator(message, kind) for kind in ("answer", "refusal", "notification")
        }
        names: dict[str, frozenset[str]] = {}
        for kind, part in (("calls", "params"), ("answers", "result"), ("notifications", "params")):
            paths = sorted((folder / kind).glob("*.json"))
            names[kind] = frozenset(path.stem for path in paths)
            self._validators |= {(path.stem, part): _validator(_read(path), part) for path in paths}
        self.methods = names["calls"]
        self.notifications = names["notifications"]

    @classmethod
    @functools.cache
    def load(cls) -> TesteeSchemas:
        """The schemas that came with the suite. It is made only once, since that takes a quarter of a second."""
        return cls(schema_file("testee/message").parent)

    # runner to testee

    def check_call(self, method: str, params: dict[str, Any]) -> None:
        """Raises ``MessageBroken`` unless these are parameters of that method."""
        if method not in self.methods:
            raise MessageBroken(f"call of {method}", "$.method", f"is {method!r}", _one_of(self.methods))
        self._check(f"call of {method}", method, "params", params)

    # testee to runner

    def line(self, raw: bytes) -> Answer | Refusal | Notification:
        """Parses a line of the testee. Raises ``MessageBroken`` for a non-message. Checks a notification wholly."""
        name = f"line {_short(raw.decode('utf-8', 'backslashreplace').rstrip())}"
        try:
            message = json.loads(raw.decode("utf-8"), parse_constant=_constant)
        except UnicodeDecodeError as error:
            raise MessageBroken(name, "$", f"is not UTF-8 ({error.reason})", "one JSON-RPC message a line") from error
        except (ValueError, RecursionError) as error:
            raise MessageBroken(name, "$", f"is not JSON ({error})", "one JSON-RPC message a line") from error
        if not isinstance(message, dict):
            raise MessageBroken(name, "$", f"is {_short(repr(message))}", "a JSON-RPC object")
        if "method" in message:
            self._check(f"notification {_short(repr(message['method']))}", "message", "notification", message)
            self.check_notification(message["method"], message["params"])
            return Notification(message["method"], message["params"])
        if "error" in message:
            self._check(f"error answer {_short(repr(message.get('id')))}", "message", "refusal", message)
            refused = message["error"]
            return Refusal(message["id"], refused["code"], refused["message"], refused.get("data"))
        self._check(f"answer {_short(repr(message.get('id')))}", "message", "answer", message)
        return Answer(message["id"], message["result"])

    def check_answer(self, method: str, result: dict[str, Any]) -> None:
        """Raises ``MessageBroken`` unless this is a result of that method."""
        self._check(f"answer to {method}", method, "result", result)

    def check_notification(self, method: str, params: dict[str, Any]) -> None:
        """Raises ``MessageBroken`` unless it is one of the notifications, with its parameters."""
        if method not in self.notifications:
            seen = _short(repr(method))
            raise MessageBroken(f"notification {seen}", "$.method", f"is {seen}", _one_of(self.notifications))
        self._check(f"notification {method}", method, "params", params)

    def _check(self, name: str, schema: str, part: str, value: Any) -> None:
        errors: Iterator[ValidationError] = self._validators[schema, part].iter_errors(value)
        worst = max(errors, key=lambda error: (-len(error.path), str(error.validator) == "type"), default=None)
        if worst is not None:
            _raise(name, worst)


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def _validator(schema: dict[str, Any], part: str) -> Draft202012Validator:
    """For one of its definitions. Each file is complete in itself."""
    definitions = schema["$defs"]
    return Draft202012Validator(
        inlined({"$ref": f"#/$defs/{part}"}, lambda reference: definitions[reference.rpartition("/")[2]])
    )


def _raise(name: str, error: ValidationError) -> NoReturn:
    while error.context:
        error = error.context[0]
    wanted: Any = error.validator_value
    value: Any = error.instance
    schema: Any = error.schema
    seen, expected = f"is {_short(repr(value))}", _short(str(error.message))
    if error.validator == "required":
        missing = [key for key in wanted if key not in value]
        seen, expected = f"there is no {', '.join(missing)}", f"the keys {', '.join(wanted)}"
    elif error.validator == "additionalProperties":
        known = schema.get("properties", {})
        strange = [key for key in value if key not in known]
        seen = f"there is the unknown key {', '.join(map(repr, strange))}"
        expected = f"none but {', '.join(known)}" if known else "an empty object"
    elif error.validator == "dependentRequired":
        seen, expected = f"there are only {', '.join(value)}", f"the keys {' and '.join(wanted)} together"
    elif error.validator == "enum":
        expected = f"one of {', '.join(map(repr, wanted))}"
    elif error.validator == "const":
        expected = repr(wanted)
    elif error.validator == "type":
        expected = " or ".join(wanted) if isinstance(wanted, list) else f"a value of type {wanted}"
    elif error.validator == "contains":
        expected = f"a list that has {wanted.get('const')!r}"
    elif error.validator == "pattern":
        expected = f"a string like {wanted}"
    raise MessageBroken(name, error.json_path, seen, expected) from None


def _constant(name: str) -> float:
    """A number beyond the range of a double: JSON writes 1e999, some libraries the name."""
    if name == "NaN":
        raise ValueError("NaN is not a JSON value")
    return float(name)


def _one_of(names: frozenset[str]) -> str:
    return f"one of {', '.join(sorted(names))}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}... ({len(text)} characters)"
