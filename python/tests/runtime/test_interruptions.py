"""Signal handlers and finalizers come at any moment, and call, or raise: no call hangs, and the endpoint lives on.

Each storm once, with few interruptions; ``make storm`` runs them for longer. On the old design each hung or went deaf.
"""

from __future__ import annotations

import importlib.util
import signal
import time
from typing import Any

import pytest

from .storm import STORMS
from .storm.figures import figures_of, needs

pytestmark = pytest.mark.slow

INTERRUPTIONS = 60
SEED = "1"


@pytest.mark.parametrize("storm", STORMS)
def test_the_endpoint_lives_on_through(storm: str, run: Any, stream: str, url: str) -> None:
    if (package := needs(storm)) and importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    code, text = run(STORMS[storm], stream, url, SEED, str(INTERRUPTIONS)).end(60)
    assert figures_of(code, text), f"exit code {code}: {text}"


RUN = {
    "threads": """
    import sys
    from redisipc import Stream
    me = Stream(sys.argv[1], "me", url=sys.argv[2])
    me.connect()
    print("up")
    me.run()
    """,
    "asyncio": """
    import asyncio, sys
    from redisipc.asyncio import Stream
    me = Stream(sys.argv[1], "me", url=sys.argv[2])
    async def main():
        await me.connect()
        print("up")
        await me.run()
    asyncio.run(main())
    """,
}


@pytest.mark.parametrize("face", RUN)
def test_run_ends_on_many_signals_at_once(run: Any, stream: str, url: str, face: str) -> None:
    """A terminal and a supervisor both want it to end. It may be ended by the second one, but it ends."""
    for number in range(4):
        program = run(RUN[face], stream, url)
        assert program.line() == "up"
        if number % 2:
            time.sleep(0.01)
        for _ in range(20):
            program.process.send_signal(signal.SIGTERM)
            program.process.send_signal(signal.SIGINT)
        program.process.wait(15)
