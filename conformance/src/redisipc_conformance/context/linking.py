"""Finds which request on the stream belongs to which send, by the content of the request alone."""

from __future__ import annotations

from collections.abc import Sequence

from ..scenario.matchers import Matcher, differs
from .objects import Send, Written


def link(sends: Sequence[Send], written: Written) -> None:
    """The send that an entry of the testee belongs to: the one with the same content, else the only possible one."""
    if written.by_suite or written.status in ("fulfilled", "rejected"):
        return
    open_sends = [
        send
        for send in sends
        if send.entry is None and (not written.by or send.endpoint.label == written.by) and send.at <= written.at
    ]
    if any(send.entry is not None and send.entry.id == written.id for send in sends):
        return
    exact = next((send for send in open_sends if _says_the_same(send, written)), None)
    chosen = exact or next((send for send in open_sends if written.destination_group == send.to), None)
    if chosen is None and open_sends and written.by:
        chosen = open_sends[0]
    if chosen is not None:
        chosen.entry = written


def _says_the_same(send: Send, written: Written) -> bool:
    if written.destination_group != send.to:
        return False
    if not send.channel:
        one, other = send.content, written.content
        if type(one) is type(other) and isinstance(one, (str, int)):
            # Of hundreds of open sends each is compared: to tell how they differ would hold the runner up.
            return bool(one == other)
        return differs(one, other) is None
    content = written.content
    return isinstance(content, dict) and differs(Matcher({"$has": send.content}), content) is None
