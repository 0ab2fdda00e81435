"""The inputs of the suite: bytes of Redis and of a testee, messages, scenarios, lists of known failures, reports."""

from __future__ import annotations

import tempfile
from pathlib import Path

from redisipc_conformance.report import interop, json_report
from redisipc_conformance.report.errors import ReportError
from redisipc_conformance.scenario.errors import ScenarioError
from redisipc_conformance.scenario.load import load_file
from redisipc_conformance.testee.schemas import Answer, MessageBroken, Notification, Refusal, TesteeSchemas
from redisipc_conformance.verdict.known import KnownFailures, KnownFailuresError
from redisipc_conformance.wire import resp

_FILE = Path(tempfile.mkdtemp(prefix="fuzzing-")) / "input"


def _file(data: bytes) -> Path:
    _FILE.write_bytes(data)
    return _FILE


def frame(data: bytes) -> None:
    """Bytes that the tap passes: they give frames, ``Incomplete`` or ``ProtocolError``."""
    at = 0
    try:
        while at < len(data):
            _, end = resp.parse(data, at)
            assert end > at
            at = end
    except (resp.Incomplete, resp.ProtocolError):
        return


def message(data: bytes) -> None:
    """A line of a testee."""
    try:
        found = TesteeSchemas.load().line(data)
    except MessageBroken as error:
        assert error.expected
        return
    assert isinstance(found, (Answer, Refusal, Notification))


def scenario(data: bytes) -> None:
    """A scenario's file."""
    try:
        load_file(_file(data))
    except ScenarioError as error:
        assert str(error)


def known(data: bytes) -> None:
    """A list of known failures."""
    try:
        KnownFailures.load(_file(data))
    except KnownFailuresError as error:
        assert str(error)


def report(data: bytes) -> None:
    """A JSON report."""
    try:
        json_report.read(_file(data))
    except ReportError as error:
        assert str(error)


def matrix(data: bytes) -> None:
    """The result of a matrix of implementations."""
    try:
        interop.read(_file(data))
    except ReportError as error:
        assert str(error)
