"""What is done with an entry that was read (section 7)."""

from __future__ import annotations

from .mutation import mutant
from .ports import EndpointPort
from .wire import PENDING, REJECTED, Entry, parse


def take(endpoint: EndpointPort, entry_id: bytes, raw: list[bytes] | None, delivered: float | None = None) -> None:
    """One entry that is pending for this instance, delivered then (in the loop's seconds; now, if nothing is said)."""
    if raw is None:
        # Deleted while it was pending: only the pending list still names it.
        if not mutant("bodiless-left-pending"):
            endpoint.settle(entry_id)
        return
    entry = parse(entry_id, raw)
    if mutant("stops-at-odd-entries") and entry.problem:
        endpoint.up.clear()
        endpoint.closed = True
        return
    if entry.destination and not _same(endpoint.names.group, entry.destination):
        _of_others(endpoint, entry)
    elif entry.problem or not entry.destination:
        _malformed(endpoint, entry)
    elif entry.status == PENDING:
        _request(endpoint, entry, delivered)
    else:
        response(endpoint, entry)


def _same(group: bytes, destination: bytes) -> bool:
    if mutant("case-of-groups-ignored"):
        return group.lower() == destination.lower()
    if mutant("space-around-groups-ignored"):
        return group.strip() == destination.strip()
    return group == destination


def _of_others(endpoint: EndpointPort, entry: Entry) -> None:
    left = deleted = False
    if entry.problem:
        left, deleted = mutant("others-malformed-left-pending"), mutant("others-malformed-deleted")
    elif entry.status == PENDING:
        left, deleted = mutant("others-request-left-pending"), mutant("others-request-deleted")
    else:
        left, deleted = mutant("others-response-left-pending"), mutant("others-response-deleted")
    if not left:
        endpoint.settle(entry.entry_id, entry.entry_id if deleted else None)


def _malformed(endpoint: EndpointPort, entry: Entry) -> None:
    if not mutant("malformed-not-reported"):
        _tell(endpoint, entry)
    if mutant("malformed-run") and entry.id and entry.source:
        endpoint.responder.take(entry)
        return
    if mutant("malformed-left-pending"):
        return
    own = bool(entry.destination)
    if mutant("malformed-not-deleted"):
        own = False
    if mutant("malformed-without-destination-deleted"):
        own = True
    if mutant("malformed-without-destination-left-pending") and not entry.destination:
        return
    endpoint.settle(entry.entry_id, entry.entry_id if own else None)


def _tell(endpoint: EndpointPort, entry: Entry) -> None:
    fields = {n.decode("utf-8", "replace"): v.decode("utf-8", "replace") for n, v in entry.fields}
    if mutant("report-without-fields"):
        fields = {}
    endpoint.report("malformed", f"entry {entry.entry_id.decode()}: {entry.problem or 'no destination'}", fields)


def _request(endpoint: EndpointPort, entry: Entry, delivered: float | None) -> None:
    names = endpoint.names
    if mutant("own-group-not-served") and entry.source == names.group:
        endpoint.settle(entry.entry_id)
    elif mutant("own-instance-not-served") and entry.instance == names.instance:
        endpoint.settle(entry.entry_id)
    elif mutant("serves-only-whom-it-asked") and entry.source not in endpoint.requester.asked:
        endpoint.settle(entry.entry_id, entry.entry_id)
    else:
        endpoint.responder.take(entry, delivered=delivered)


def response(endpoint: EndpointPort, entry: Entry) -> None:
    """A response to its own group."""
    if entry.instance != endpoint.names.instance:
        if mutant("others-response-delivered-here") and endpoint.requester.outstanding:
            endpoint.requester.deliver_anyhow(entry)
        elif mutant("foreign-response-dropped"):
            endpoint.settle(entry.entry_id, entry.entry_id)
        elif mutant("foreign-response-acknowledged"):
            endpoint.settle(entry.entry_id)
        else:
            endpoint.spawn(endpoint.relay.hand_over(entry.entry_id, entry.instance))
    elif endpoint.requester.knows(entry):
        if mutant("delivered-when-a-handler-is-free") and endpoint.responder.room <= 0:
            endpoint.responder.when_room(lambda: endpoint.requester.response(entry))
        else:
            endpoint.requester.response(entry)
        acknowledge = None if mutant("delivered-not-acknowledged") else entry.entry_id
        endpoint.settle(acknowledge, None if mutant("delivered-not-deleted") else entry.entry_id)
    else:
        _unknown(endpoint, entry)


def _unknown(endpoint: EndpointPort, entry: Entry) -> None:
    if mutant("unknown-response-for-the-next-send") and endpoint.requester.outstanding:
        endpoint.requester.deliver_anyhow(entry)
    if mutant("unknown-response-reported"):
        endpoint.report("unknown", f"a response to nobody: {entry.id!r}", {})
    if mutant("unknown-response-left-pending"):
        return
    if mutant("unknown-response-rejected") and entry.status == REJECTED:
        endpoint.responder.refuse(entry, "unknown")
    endpoint.settle(entry.entry_id, None if mutant("unknown-response-not-deleted") else entry.entry_id)


def take_again(endpoint: EndpointPort, entry_id: bytes, raw: list[bytes], starts: int, again: bool) -> None:
    """An entry of an own list that was just claimed. ``again``: it was started before."""
    entry = parse(entry_id, raw)
    if not entry.problem and entry.status == PENDING and entry.destination == endpoint.names.group:
        endpoint.responder.take(entry, starts, again)
    else:
        take(endpoint, entry_id, raw)
