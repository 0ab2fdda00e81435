"""Finds acts of a testee that bypass its taps, or harm the shared server. Every scenario is examined for them."""

from __future__ import annotations

from collections.abc import Iterator

from ..context import notes
from ..context.entry_log import xadd_fields
from ..context.scenario_context import ScenarioContext
from ..verdict.judge import RunOutcome
from ..wire import resp
from ..wire.guarded import is_refused, to_blame
from ..wire.tap import Exchange

Pairs = tuple[tuple[bytes, bytes], ...]


def inspect(context: ScenarioContext, outcome: RunOutcome) -> None:
    """Notes the first command that the taps refused, and the first entry that bypassed them."""
    for who, exchange in _commands(context):
        if is_refused(exchange.args) and to_blame(exchange.args):
            outcome.refused = f"{who} sent {notes.command(exchange.args)[:100]}, which the tap refused"
            outcome.evidence = exchange
            break
    unknown = [entry for entry in context.entry_log.entries if not entry.by and not entry.by_suite]
    sent = _sent(context) if unknown else set()
    stranger = None if sent is None else next((each for each in unknown if tuple(each.pairs) not in sent), None)
    if stranger is not None:
        told = notes.command([part for pair in stranger.pairs for part in pair])[:200]
        outcome.stranger = f"the entry {stranger.entry} came past the taps, from a connection of another kind: {told}"
        outcome.evidence = outcome.evidence or stranger


def _commands(context: ScenarioContext) -> Iterator[tuple[str, Exchange]]:
    for label, tap in context.taps.items():
        for exchange in tap.exchanges:
            yield label, exchange


def _sent(context: ScenarioContext) -> set[Pairs] | None:
    """The fields of every entry that an endpoint or a step of the scenario sent, even if its reply was never seen.

    None if the scenario ran a script, whose entries are unknown. Made once: there can be thousands.
    """
    own = [[resp.to_bytes(arg) for arg in note.args] for note in context.notes if note.kind == "command" and note.args]
    if any(args[0] == b"EVAL" for args in own):
        return None
    commands = [*(exchange.args for _, exchange in _commands(context)), *own]
    return {tuple(pairs) for args in commands if (pairs := xadd_fields(args)) is not None}
