"""The targets of the fuzzer. A target reads one input that somebody else could have written.

It returns normally for valid and for malformed input: malformed input leads to a documented error or to a report. Any other
exception, an input that takes seconds, and a process that grows are failures. Targets need no Redis, no thread, no clock.
"""

from __future__ import annotations

from collections.abc import Callable

from . import library, suite

Target = Callable[[bytes], None]

TARGETS: dict[str, Target] = {
    "reply": library.reply,
    "entry": library.entry,
    "content": library.content_text,
    "endpoint": library.endpoint,
    "siblings": library.siblings,
    "channel": library.channel,
    "frame": suite.frame,
    "message": suite.message,
    "scenario": suite.scenario,
    "known": suite.known,
    "report": suite.report,
    "matrix": suite.matrix,
}
