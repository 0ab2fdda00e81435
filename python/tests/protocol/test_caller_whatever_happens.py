"""A call of a caller under any order of losses, refusals and answers: one outcome, in time, one XADD. No Redis."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from redisipc.protocol.commands import Failure

from ..support_caller import Desk

EVENTS = st.lists(
    st.sampled_from(["fine", "fine", "fine", "respond", "cut before", "cut after", "unreachable", "refused", "cancel"]),
    max_size=30,
)


@example(["cut before", "cancel", *["cut before"] * 4], 1.0, True, True)  # a pause beyond a cancelled call's end
@given(EVENTS, st.floats(0.1, 20.0), st.booleans(), st.booleans())
def test_whatever_happens_it_ends_once_in_time_and_writes_once(
    events: list[str], timeout: float, group: bool, early_end: bool
) -> None:
    desk = Desk(timeout=timeout, early_end=early_end)
    desk.groups = [b"stock"] if group else []
    cancelled = False
    for event in [*events, *["fine"] * 100]:
        if desk.call.turn(desk.now) is None:
            break
        desk.refusals = {}
        if event == "respond" and desk.count("XADD"):
            desk.respond()
        elif event == "cut before":
            desk.lose(executed=False)
        elif event == "cut after":
            desk.lose(executed=True)
        elif event == "unreachable":
            desk.lose(executed=False, sent=False)
        elif event == "cancel":
            desk.call.cancel(desk.now)
            cancelled = True
        else:
            if event == "refused":
                loading = Failure("LOADING", "LOADING no")
                desk.refusals = dict.fromkeys(("XADD", "XREAD", "XRANGE", "XINFO", "XDEL"), loading)
            desk.step()
    status, _ = desk.outcome
    assert desk.now <= 100.0 + timeout + 1.0
    assert sum(1 for command in desk.sent if command[0] == "XADD") <= 1 + events.count("refused")
    assert status != "cancelled" or cancelled
    assert status != "timeout" or desk.now >= 100.0 + timeout
    assert status != "no responders" or (early_end and not group and desk.now >= 101.0)
    if not set(events) & {"cut before", "cut after", "unreachable", "refused"}:
        # Nothing failed: it is deleted, and so is the response that was taken.
        assert [row for row in desk.entries if row[1][5] == b"pending"] in ([], desk.entries[:1])
        if status in ("timeout", "no responders", "cancelled"):
            assert not [row for row in desk.entries if row[1][5] == b"pending"]
