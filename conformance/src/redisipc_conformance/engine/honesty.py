"""The acts of a testee past its taps, or against the server of all: every scenario is looked at for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..context import notes
from ..context.entry_log import xadd_fields
from ..context.scenario_context import Stage
from ..verdict.judge import Ended
from ..wire import resp
from ..wire.guarded import is_refused, to_blame
from ..wire.tap import Exchange


def inspect(stage: Stage, ended: Ended) -> None:
    """Notes the first command that the taps refused, and the first entry that came past them."""
    for who, exchange in _commands(stage):
        if is_refused(exchange.args) and to_blame(exchange.args):
            ended.refused = f"{who} sent {notes.command(exchange.args)[:100]}, which the tap refused"
            ended.evidence = exchange
            break
    for entry in stage.ledger.entries:
        if not entry.by and not entry.by_suite and not _sent(stage, entry.pairs):
            told = notes.command([part for pair in entry.pairs for part in pair])[:200]
            ended.stranger = f"the entry {entry.entry} came past the taps, from a connection of another kind: {told}"
            ended.evidence = ended.evidence or entry
            break


def _commands(stage: Stage) -> Iterator[tuple[str, Exchange]]:
    for label, tap in stage.taps.items():
        for exchange in tap.exchanges:
            yield label, exchange


def _sent(stage: Stage, pairs: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether some endpoint sent it and its reply was never seen (a fault of the scenario took it), or a step's own command."""
    if any(xadd_fields(exchange.args) == list(pairs) for _, exchange in _commands(stage)):
        return True
    own = ([resp.to_bytes(arg) for arg in note.args] for note in stage.notes if note.kind == "command" and note.args)
    # Of a script of the suite's own nobody knows what it wrote.
    return any(args[0] == b"EVAL" or xadd_fields(args) == list(pairs) for args in own)
