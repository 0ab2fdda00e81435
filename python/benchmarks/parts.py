"""The measurements: one function for each part of the table. All contenders of a part run alternately, round by round."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import redis

from .contenders import BY_NAME, CONTENDERS, Contender, missing
from .figures import Line, Rest, line
from .processes import Job, Pair

PAYLOAD = json.dumps({"sku": 4711, "name": "a thing with a name", "tags": ["red", "blue"], "text": "x" * 120})
FLOOR = BY_NAME["floor_streams"]
WORK = 200e-6
"""Seconds of processor time of a handler that computes."""
WAIT = 5e-3
"""Seconds for which a handler waits without using a processor."""
SPACE = 0.03
"""Seconds between rare requests, so that each comes to an idle group."""
Say = Callable[[str], None]


class Bench:
    """``scale`` multiplies the number of requests of each job."""

    def __init__(self, url: str, rounds: int, scale: float, say: Say, only: frozenset[str] = frozenset()) -> None:
        self.url, self.rounds, self.scale, self.say = url, rounds, scale, say
        self.only = only

    def _count(self, count: int) -> int:
        return max(20, int(count * self.scale))

    def _name(self) -> str:
        return f"bench-{uuid.uuid4().hex[:8]}"

    def _pair(self, contender: Contender, **sides: Any) -> Pair:
        return Pair(contender, self.url, self._name(), **sides)

    def here(self) -> list[Contender]:
        """The contenders that can run. It prints the reason for each that cannot."""
        found = []
        for contender in CONTENDERS:
            if self.only and contender.name not in self.only and contender is not FLOOR:
                continue
            why = missing(contender)
            if why:
                self.say(f"left out: {contender.title}: {why}")
            else:
                found.append(contender)
        return found

    # one at a time, and under load

    def one_at_a_time(self, contenders: list[Contender]) -> list[Line]:
        """Measures requests one after the other, for each contender."""
        counts = {"gem": 60, "celery": 200, "faststream": 300}
        alone = {}
        for one in contenders:
            # While others run, the commands that they send at rest would be counted, too.
            with self._pair(one) as pair:
                pair.run(PAYLOAD, 20)
                job = pair.run(PAYLOAD, min(200, counts.get(one.name, 200)))
                alone[one.name] = job.commands / len(job.latencies)
        with ExitStack() as stack:
            pairs = [(one, stack.enter_context(self._pair(one))) for one in contenders]
            for one, pair in pairs:
                pair.run(PAYLOAD, min(200, counts.get(one.name, 200)))
            jobs: dict[str, list[Job]] = {one.name: [] for one in contenders}
            for number in range(self.rounds):
                for one, pair in pairs:
                    jobs[one.name].append(pair.run(PAYLOAD, self._count(counts.get(one.name, 2000))))
                self.say(f"one at a time: round {number + 1} of {self.rounds}")
        floors = jobs[FLOOR.name]
        found = [line("one at a time", one.name, one.title, 1, jobs[one.name], floors) for one in contenders]
        return [replace(row, commands=alone[row.name]) for row in found]

    def load(self, contenders: list[Contender], levels: tuple[int, ...] = (4, 16, 64, 256, 1000)) -> list[Line]:
        """Measures many requests at once, compared with the sequential rate of the floor in the same round."""
        found: list[Line] = []
        able = [one for one in contenders if one.most > 1]
        with ExitStack() as stack:
            floor = stack.enter_context(self._pair(FLOOR))
            pairs = [(one, stack.enter_context(self._pair(one))) for one in able]
            for level in levels:
                here = [(one, pair) for one, pair in pairs if one.most >= level]
                jobs: dict[str, list[Job]] = {one.name: [] for one, _ in here}
                floors: list[Job] = []
                for _ in range(self.rounds):
                    floors.append(floor.run(PAYLOAD, self._count(1000)))
                    for one, pair in here:
                        slow = one.name in ("celery", "faststream")
                        jobs[one.name].append(pair.run(PAYLOAD, self._count(800 if slow else 6000), level))
                found += [line("load", one.name, one.title, level, jobs[one.name], floors) for one, _ in here]
                self.say(f"load: {level} at once")
        return found

    # groups

    def groups(self, names: tuple[str, ...] = ("redisipc_threads", "redisipc_asyncio")) -> list[Line]:
        """Measures a requesting group of 1, 2 and 4 instances (one of them asks), and 1 and 4 responders under load."""
        found: list[Line] = []
        for name in names:
            one = BY_NAME[name]
            alone = "1 instance asks alone"
            with ExitStack() as stack:
                many = [(1, alone, stack.enter_context(self._pair(one)), alone)]
                for n in (2, 4):
                    label = f"{n} instances, 1 asks"
                    many.append((1, label, stack.enter_context(self._pair(one, askers=[{}] * n)), alone))
                found += self._rounds(one, many, 1000)
            for kind, server, options in (
                ("", one, {}),
                (f", handlers of {1e6 * WORK:g} us", one, {"work": WORK}),
                (f", handlers that wait {1e3 * WAIT:g} ms", one, {"wait": WAIT}),
                (" of bare redis-py", BY_NAME["floor_protocol"], {}),
            ):
                first = f"1 responder{kind}"
                with ExitStack() as stack:
                    few = [(64, first, stack.enter_context(self._pair(one, servers=[options], server=server)), first)]
                    four = stack.enter_context(self._pair(one, servers=[options] * 4, server=server))
                    few.append((64, f"4 responders{kind}", four, first))
                    found += self._rounds(one, few, 8000)
            self.say(f"groups: {one.title}")
        return found

    def _rounds(self, one: Contender, rows: list[tuple[int, str, Pair, str]], count: int) -> list[Line]:
        """The rows: requests at once, label, pair, and the label of the row with which this one is compared."""
        # Members notice each other within one refresh.
        time.sleep(1.5)
        jobs: dict[str, list[Job]] = {label: [] for _, label, _, _ in rows}
        for at_once, _, pair, _ in rows:
            pair.run(PAYLOAD, 200, at_once)
        for _ in range(self.rounds):
            for at_once, label, pair, _ in rows:
                jobs[label].append(pair.run(PAYLOAD, self._count(count), at_once))
        return [
            line("groups", one.name, f"{one.title}: {label}", at_once, jobs[label], jobs[against])
            for at_once, label, _, against in rows
        ]

    # growth

    def growth(self, name: str = "redisipc_asyncio") -> list[Line]:
        """Measures the cost of a request when outstanding requests and contents grow."""
        one = BY_NAME[name]
        found: list[Line] = []
        # More than the default queue of 1,000, so that no request is rejected as overloaded.
        with self._pair(one, servers=[{"max_queue": 20_000}]) as pair:
            pair.run(PAYLOAD, 500, 64)
            few, many = [], []
            for _ in range(self.rounds):
                few.append(pair.run(PAYLOAD, self._count(10_000), 100))
                many.append(pair.run(PAYLOAD, self._count(20_000), 10_000))
            found.append(line("growth", name, "100 outstanding", 100, few, few))
            found.append(line("growth", name, "10,000 outstanding (rate against 100)", 10_000, many, few))
            small = [pair.run(PAYLOAD, self._count(500)) for _ in range(self.rounds)]
            for title, size, count in (("10 KiB", 10 << 10, 500), ("1 MiB", 1 << 20, 60)):
                large = [pair.run(json.dumps({"text": "x" * size}), self._count(count)) for _ in range(self.rounds)]
                found.append(line("growth", name, f"contents of {title}, one at a time", 1, large, small))
        self.say("growth: outstanding requests, large contents")
        found += self._bystanders(one)
        found += self._pending(one)
        return found

    def _bystanders(self, one: Contender) -> list[Line]:
        """Measures 1 pair with 6 or 30 more groups on its stream, and rare requests to one of these groups."""
        found: list[Line] = []
        with ExitStack() as stack:
            alone = stack.enter_context(self._pair(one))
            rows = [(2, alone)]
            for groups in (8, 32):
                servers = [{}, *({"group": f"other-{n}"} for n in range(groups - 2))]
                rows.append((groups, stack.enter_context(self._pair(one, servers=servers))))
            jobs: dict[int, list[Job]] = {groups: [] for groups, _ in rows}
            for _ in range(self.rounds):
                for groups, pair in rows:
                    jobs[groups].append(pair.run(PAYLOAD, self._count(500)))
            for groups, _ in rows:
                title = f"{groups} groups on the stream, one at a time" if groups > 2 else "one pair alone"
                found.append(line("growth", one.name, title, 1, jobs[groups], jobs[2]))
        self.say("growth: 8 and 32 groups")
        return found + self._rare(one)

    def _rare(self, one: Contender) -> list[Line]:
        """Measures rare requests to a group on a busy stream, with the pause of ``read_pause`` and without it."""
        jobs: dict[str, list[Job]] = {}
        with ExitStack() as stack:
            pairs = {}
            for title, options in (("without a pause", {"read_pause": 0.0}), ("with the default pause", {})):
                servers = [{"group": "rare", **options}, {"group": "b"}]
                askers = [{"to": "rare"}, {"group": "busy", "to": "b"}]
                pairs[title] = stack.enter_context(self._pair(one, servers=servers, askers=askers))
            for _ in range(self.rounds):
                for title, pair in pairs.items():
                    job = pair.run_beside(PAYLOAD, self._count(100), SPACE)
                    jobs.setdefault(title, []).append(job)
        self.say("growth: rare requests on a busy stream")
        first = jobs["without a pause"]
        return [line("growth", one.name, f"rare requests, {title}", 1, them, first) for title, them in jobs.items()]

    def _pending(self, one: Contender) -> list[Line]:
        """Measures with 10,000 pending entries in the group of the responder. Another member keeps them alive."""
        with self._pair(one) as alone, self._pair(one) as full, redis.Redis.from_url(self.url) as client:
            stream = str(full.sides[0].process.args).partition("bench-")[2][:8]
            name = f"bench-{stream}"
            fields = {"id": "f" * 21, "instance_id": "ffffff", "status": "pending", "content": "x"}
            with client.pipeline(transaction=True) as pipe:
                # In one transaction, so that no other member of the group reads in between.
                for _ in range(10_000):
                    pipe.xadd(name, {**fields, "source_group": "c", "destination_group": "b"})
                pipe.xreadgroup("b", "consumer_ffffff_0", {name: ">"}, count=10_000)
                pipe.execute()
            base = [alone.run(PAYLOAD, self._count(500)) for _ in range(self.rounds)]
            jobs = [full.run(PAYLOAD, self._count(500)) for _ in range(self.rounds)]
        self.say("growth: 10,000 pending")
        return [line("growth", one.name, "a pending list of 10,000, one at a time", 1, jobs, base)]

    # at rest

    def idle(self, seconds: float) -> Iterator[Rest]:
        """Measures the cost of idle endpoints: one with a handler and one that could ask."""
        for name in ("redisipc_threads", "redisipc_asyncio"):
            one = BY_NAME[name]
            with self._pair(one) as pair:
                pair.run(PAYLOAD, 100)
                time.sleep(1.0)
                cpu = [side.cpu for side in pair.sides]
                memory = [side.memory for side in pair.sides]
                commands = pair._commands()
                time.sleep(seconds)
                commands = pair._commands() - commands - 1
                used = sum(side.cpu for side in pair.sides) - sum(cpu)
                grown = sum(side.memory for side in pair.sides) - sum(memory)
            yield Rest(name, one.title, commands / seconds / 2, 100 * used / seconds / 2, grown / 2 / 1024, seconds)
        self.say("idle")
