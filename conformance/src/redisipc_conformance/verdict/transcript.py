"""The transcript of a scenario: commands of both sides and events, in the order of time, and the wrong line."""

from __future__ import annotations

from ..context import notes
from ..context.objects import Written
from ..context.scenario_context import ScenarioContext
from ..results import Line
from ..wire.tap import Exchange

QUIET = frozenset({b"PING", b"HELLO", b"CLIENT", b"AUTH", b"SELECT", b"READONLY"})
MOST_LINES = 4000
"""Lines. The middle of a longer one is left out."""


class Transcript:
    """Lines, and where in them an exchange, note or entry is."""

    def __init__(self, context: ScenarioContext) -> None:
        rows: list[tuple[float, int, object, Line]] = []
        for note in context.notes:
            line = Line(note.at - context.began, note.side, note.who, *note.told(), note.kind, note.fate)
            rows.append((note.at, len(rows), note, line))
        for label, tap in context.taps.items():
            for exchange in tap.exchanges:
                if _worth_telling(exchange):
                    rows.append((exchange.sent, len(rows), exchange, _line(context, label, exchange)))
        rows.sort(key=lambda row: row[:2])
        if len(rows) > MOST_LINES:
            rows = rows[: MOST_LINES // 2] + rows[-MOST_LINES // 2 :]
        self.lines = tuple(line for *_, line in rows)
        self._places = {id(what): at for at, (_, _, what, _) in enumerate(rows)}

    def index(self, culprit: object | None) -> int | None:
        """Its line, or None."""
        if isinstance(culprit, Written):
            culprit = culprit.exchange
        return self._places.get(id(culprit)) if culprit is not None else None


def _worth_telling(exchange: Exchange) -> bool:
    if exchange.name in QUIET and not exchange.fate:
        return False
    return not (exchange.name == b"XREADGROUP" and exchange.answered and exchange.result is None and not exchange.fate)


def _line(context: ScenarioContext, label: str, exchange: Exchange) -> Line:
    reply = notes.reply(exchange.result) if exchange.answered else ""
    if exchange.replied is not None and exchange.replied - exchange.sent >= 0.1:
        reply += f" (after {exchange.replied - exchange.sent:.2f} s)"
    text = notes.command(exchange.args)
    return Line(exchange.sent - context.began, "testee", label, text, reply, "command", exchange.fate)
