"""The cost of ``redisipc.testing`` for a program that does not use it: ``python -m benchmarks.imported``, with REDIS_URL.

New processes import the double or not, alternately. Each imports the library, and sends requests over the real Redis.
It prints medians of the processor time, which depends less on the load of the machine than the elapsed time.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

ROUNDS = 15
PROGRAM = """
import json, sys, time
begin = time.process_time()
import redisipc
took = {"import redisipc, ms": (time.process_time() - begin) * 1000}
assert "redisipc.testing" not in sys.modules
if "double" in sys.argv:
    import redisipc.testing
stock = redisipc.Stream("imported", "stock")
stock.on_request(lambda request: request.content)
with stock, redisipc.Stream("imported", "web") as web:
    web.request(1, to="stock")
    begin = time.process_time()
    for number in range(1000):
        web.request(number, to="stock")
    took["a request, us"] = (time.process_time() - begin) * 1000
assert ("redisipc.testing" in sys.modules) == ("double" in sys.argv)
print(json.dumps(took))
"""


def once(*arguments: str) -> dict[str, float]:
    """The times of one new process."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    said = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True).stdout
    took: dict[str, float] = json.loads(said)
    return took


def main() -> None:
    without, imported = [], []
    for _ in range(ROUNDS):
        without.append(once())
        imported.append(once("double"))
    print(f"{'processor time, medians of ' + str(ROUNDS):35}{'without':>10}{'imported':>10}")
    for name in without[0]:
        first, second = (statistics.median(each[name] for each in rounds) for rounds in (without, imported))
        print(f"{name:35}{first:10.1f}{second:10.1f}")


if __name__ == "__main__":
    main()
