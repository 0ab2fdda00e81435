"""Calls the observers of a ``Caller``, on the thread or task that makes the call. It is loaded only if there are observers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from logging import ERROR

from redisipc.protocol.events import Outcome, Outgoing

from .hooks import Hook
from .internal_log import say
from .observation import Observation
from .observing import end_of, failure_of, rejection_of, start_of, with_code
from .options import check_observers

CUT_OFF = Outcome("cancelled", None, "cancelled")
"""The outcome of a call that ended without one: its process or event loop is ending."""


ENDS_THE_PROGRAM = (KeyboardInterrupt, SystemExit)
"""Exceptions of an observer that pass through: they end the program or the generator."""


class CallObserving:
    """An observer that raises is logged and not called again, whatever it raises. What ends the program, passes."""

    def __init__(self, observers: Sequence[Callable[[Observation], None]], name: str) -> None:
        self._hooks = [Hook(observer) for observer in check_observers(observers)]
        self._name = name

    def sent(self, outgoing: Outgoing) -> None:
        """The call begins."""
        self._tell(start_of(outgoing))

    def ended(self, outgoing: Outgoing, outcome: Outcome | None) -> None:
        """The call is over."""
        seen, rejection = end_of(outgoing, outcome or CUT_OFF), rejection_of(outcome or CUT_OFF)
        self._tell(seen if rejection is None else with_code(seen, rejection))

    def _tell(self, seen: Observation) -> None:
        # The tuple is replaced as a whole, since calls on other threads read it meanwhile.
        for hook in self._hooks:
            try:
                hook(seen)
            except ENDS_THE_PROGRAM:
                raise
            except BaseException as raised:
                self._hooks = [other for other in self._hooks if other is not hook]
                say(ERROR, "%s %s", self._name, failure_of(hook, raised), error=raised)
