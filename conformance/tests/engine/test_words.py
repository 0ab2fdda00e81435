"""Each step word, once as it should be. The scenarios that ship use them all; here each is alone with its neighbours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from redisipc_conformance.engine import step_runner  # noqa: F401  (registers the words)
from redisipc_conformance.scenario.grammar import step_words
from redisipc_conformance.steps.registry import WORDS

Holds = Callable[..., Awaitable[Any]]

ASKED = """
- connect: a
- peer: b
- send: {from: a, to: b, content: hello}
  as: s
"""
HANDLED = """
- connect: b
- peer: a
- add: {from: a, to: b, content: {n: 1}}
  as: e
- received: {by: b, of: e, content: {n: 1}, source: a, instance: "${a.instance}", redelivered: false}
  as: r
"""
SIBLING = """
- connect: a
- peer: {name: p, group: a}
- peer: b
"""

SCENARIOS: dict[str, str] = {
    "a request is read, answered, and its outcome comes": ASKED
    + """
- entry: {of: s, fields: {status: pending, source_group: a, destination_group: b, content: hello, id: {$length: 21}}}
  as: e
- entry: {of: s, order: [id, instance_id, status, content, source_group, destination_group], by: a, size: 5}
- entry:
    of: s
    exactly: true
    fields: {id: "${e.id}", instance_id: "${a.instance}", status: pending, text: hello, source_group: a, destination_group: b}
- outcome: {of: s, none: true}
  now: true
- read: {peer: b, of: s}
  as: q
- value: {of: "${q.entry}", is: "${e.entry}"}
- pending: {group: b, entry: q, consumer: "${b.dispatcher}", deliveries: 1, idle: {$at_most: 5000}}
- add: {answer: q, content: {n: 1}}
- outcome: {of: s, is: fulfilled, content: {n: 1}, took: {$at_most: 5}}
  as: o
- elapsed: {from: "${s.at}", to: "${o.at}", is: {$at_least: 0, $at_most: 5}}
- elapsed: {from: "${s.at}", to: "${o.at}"}
  within: response
- stream: {count: 0}
- pending: {group: b, lacks: q}
  check: it
""",
    "a rejection": ASKED
    + """
- read: {peer: b, where: {status: pending, content: hello}}
  as: q
- add: {answer: q, status: rejected, content: no}
- outcome: {of: s, is: [rejected, fulfilled], content: no}
  check: it
""",
    "a timeout": """
- connect: a
- peer: b
- send: {from: a, to: b, content: x, timeout: 0.1}
  as: s
- outcome: {of: s, is: timeout, took: {$at_least: 0.1, $at_most: 1.1}}
- stream: {lacks: s}
  check: it
""",
    "a cancelled send": ASKED
    + """
- entry: {of: s}
- cancel: s
- outcome: {of: s, is: cancelled}
  check: it
""",
    "a refused send and a refused connect": """
- connect: a
- connect: {endpoint: b, group: " ", refused: true}
- send: {from: a, to: " ", content: x}
  as: s
- outcome: {of: s, is: refused}
  check: it
""",
    "a request is received and fulfilled": HANDLED
    + """
- value: {of: "${r.entry}", is: "${e.entry}"}
- fulfill: {request: r, content: done}
- entry: {answer_to: e, fields: {status: fulfilled, content: done, instance_id: "${a.instance}"}}
  as: answer
- read: {peer: a, where: {status: fulfilled}}
- fulfill: {request: r, content: again, refused: true}
- received: {by: b, of: e, count: 1}
- received: {by: b, count: 1}
- stream: {lacks: e}
  check: it
""",
    "a request is rejected": HANDLED
    + "- reject: {request: r, content: no}\n- entry: {answer_to: e, fields: {status: rejected, content: no}}\n  check: it\n",
    "a handler raises": HANDLED
    + """
- raise: {request: r, message: boom}
- entry: {answer_to: e, fields: {status: rejected, content: {$contains: boom}}}
  check: it
""",
    "a handler ends without an answer": HANDLED
    + "- ignore: r\n- fence: b\n- entry: {answer_to: e, count: 0}\n  now: true\n  check: it\n",
    "a served endpoint": """
- connect: b
- peer: a
- serve: {endpoint: b, fulfill: ["${request.content}", "${request.source}"], hold: 0.01}
  as: k
- add: {from: a, to: b, content: 1}
  as: e
- entry: {answer_to: e, fields: {content: [1, a]}}
- stop: k
- add: {from: a, to: b, content: 2}
  as: f
- received: {by: b, of: f}
  as: r
- fulfill: {request: r, content: last}
- entry: {answer_to: f, fields: {content: last}}
  check: it
""",
    "a served peer": """
- connect: a
- peer: b
- serve: {peer: b, fulfill: {back: "${request.content}"}}
  as: k
- send: {from: a, to: b, content: 1}
  as: s
- outcome: {of: s, is: fulfilled, content: {back: 1}}
- stop: k
  check: it
""",
    "a channel": """
- connect: {endpoint: c, events: [{event: add, params: [x, y]}]}
- connect: d
- peer: b
- add: {from: b, to: c, content: {event: add, params: {x: 1, y: 2, z: 3}}}
  as: e
- received: {by: c, of: e, event: add, params: {x: 1, y: 2}}
  as: r
- fulfill: {request: r, content: 3}
- entry: {answer_to: e, fields: {content: 3}}
- trigger: {from: c, event: go, to: b, params: {a: 1}}
  as: t
- entry: {of: t, fields: {content: {$has: {event: go, params: {a: 1}}}}}
- read: {peer: b, of: t}
  as: q
- add: {answer: q, content: gone}
- outcome: {of: t, is: fulfilled, content: gone}
- fence: c
  check: it
""",
    "leaving, and joining again": """
- connect: a
  as: first
- list: {of: a, equals: ["${a.consumer}"]}
- disconnect: a
- list: {of: a, count: 0}
- connect: a
- value: {of: "${a.instance}", is: {$not: "${first.instance}"}}
- disconnect: {endpoint: a, wait: false}
  as: d
- done: d
  check: it
""",
    "a connect that is not waited for": """
- fault: {on: a, command: "XGROUP CREATE ...", do: hold}
  as: f
- connect: {endpoint: a, wait: false}
  as: c
- struck: f
- lift: f
- done: c
- list: {of: a, has: "${a.consumer}"}
  check: it
""",
    "malformed entries and on_error": """
- connect: a
- peer: b
- add: {from: b, to: a, content: x, without: [status], extra: {seventh: y}, invalid: true}
  as: e
- errors: {by: a, kind: malformed, message: {$type: string}, fields: {$has: {seventh: y}}}
- add: {fields: [[id, x], [destination_group, a]], invalid: true}
- errors: {by: a, kind: malformed, count: 2}
- errors: {by: a, kind: nothing-like-it, none: true}
- received: {by: a, of: e, none: true}
  now: true
  check: it
""",
    "bent entries": """
- peer: a
- peer: b
- add: {from: a, to: b, text: "1", id: abc, set: {instance_id: me}, order: [content, id]}
  as: e
- entry: {of: e, order: [content, id, instance_id, status, source_group, destination_group]}
- value: {of: ["${e.id}", "${e.instance_id}", "${e.text}", "${e.content}"], is: [abc, me, "1", 1]}
- add: {from: a, to: b, content: x, twice: [id], invalid: true}
  as: f
- entry: {of: f, fields: {id: {$length: 21}, content: {$bytes: {$hex: "78"}}}}
- add: {from: a, to: b, text: {$hex: "ff"}}
  as: g
- entry: {of: g, fields: {text: {$bytes: {$hex: "ff"}}}}
- entry: {where: {source_group: a}, count: 3}
- stream: {where: {text: "1"}, count: 1}
- add: {from: a, to: b, content: unnamed}
- entry: {where: {source_group: a}, fields: {content: unnamed}}
  check: it
""",
    "what is in redis": SIBLING
    + """
- groups: {has: a}
- groups: {lacks: c, count: 2}
- consumers: {of: p, count: 2, all: {pending: 0, idle: {$at_most: 60000}}}
- consumers: {group: a, has: "${a.dispatcher}", lacks: "dispatcher_x_0", any: {name: "${p.consumer}"}}
- ttl: {of: a, is: {$at_least: 50, $at_most: 100}}
- age: {key: "${a.key}", ttl: 50}
- ttl: {key: "${a.key}", is: {$at_most: 50}}
- key: {name: "${stream}", exists: true}
- key: {name: "${stream}:no", exists: false}
- add: {from: b, to: nobody, content: 1}
  as: e
- last-delivered: {group: a, is: "${e.entry}"}
- redis: [XLEN, "${stream}"]
  reply: {$at_least: 1}
  as: n
- redis: [NOT-A-COMMAND]
  reply: {$prefix: "ERR"}
- stream: {has: e}
- value: {of: "${n}", is: 1}
  check: it
""",
    "stolen, claimed, given back": SIBLING
    + """
- add: {from: b, to: a, content: x, taken_by: p}
  as: e
- pending: {group: a, entry: e, consumer: "${p.dispatcher}", deliveries: 1}
- age: {entry: e, group: a, idle: 5000}
- pending: {group: a, entry: e, consumer: "${p.dispatcher}", deliveries: 1, idle: {$at_least: 5000}}
- claim: {peer: p, entry: e, idle: 20, starts: 2}
- pending: {group: a, entry: e, consumer: "${p.consumer}", deliveries: 2, idle: {$at_most: 4000}}
- give-back: {peer: p, entry: e, wakeup: true}
- received: {by: a, of: e}
  as: r
- fulfill: {request: r, content: null}
- pending: {group: a, lacks: e}
  check: it
""",
    "settled by hand": SIBLING
    + """
- add: {from: b, to: a, content: x, taken_by: p}
  as: e
- settle: {peer: p, entry: e, delete: false}
- pending: {group: a, lacks: e}
- stream: {has: e}
- settle: {peer: p, entry: e}
- stream: {lacks: e}
  check: it
""",
    "handed over to a peer": SIBLING
    + """
- fence: a
- add: {from: b, to: a, status: fulfilled, content: x, set: {instance_id: "${p.instance}"}}
  as: e
- handed: {peer: p, of: e}
  as: h
- handed: {peer: p}
- settle: {peer: p, entry: h}
- handed: {peer: p, none: true}
  check: it
""",
    "handed over to the testee": SIBLING
    + """
- send: {from: a, to: b, content: x}
  as: s
- read: {peer: b, of: s}
  as: q
- add: {answer: q, content: y, taken_by: p}
  as: e
- hand: {entry: e, to: a, wakeup: true}
- outcome: {of: s, is: fulfilled, content: y}
  check: it
""",
    "registered and not": """
- peer: {name: p, group: a, register: false, consumers: 2}
- list: {of: p, count: 0}
- register: p
- list: {of: p, count: 2, has: "${p.consumer}"}
- unregister: p
- list: {of: p, equals: [], lacks: "${p.consumer}"}
  check: it
""",
    "commands": ASKED
    + """
- commands: {of: a, has: "XADD ${stream} ... pending content hello ..."}
- commands: {of: a, has: ["XGROUP CREATE ${stream} a ...", [XGROUP, CREATECONSUMER]]}
- mark: m
- read: {peer: b, of: s}
  as: q
- add: {answer: q, content: null}
  as: answer
- outcome: {of: s, is: fulfilled}
- commands: {of: a, like: "XADD ...", count: 1, replied: true}
- commands: {of: a, like: "XADD ...", since: m, count: 0}
- commands: {of: a, order: ["XGROUP CREATE ...", "XADD ...", "XACK ... ${answer.entry}"]}
- commands: {of: a, multi: ["LREM ...", "EXPIRE ..."]}
- commands: {of: a, multi: ["LREM ...", "LPUSH ...", "EXPIRE ..."], only: true}
- commands: {of: a, like: "XREADGROUP ...", every: {$at_most: 10}, for: 0.05}
- fence: a
- commands: {of: a, none: ["KEYS ...", "FLUSHALL"]}
  now: true
- commands: {of: a, like: "XADD ...", count: 1}
  now: true
  check: it
""",
    "a fence does not wait for a handler that is held": HANDLED
    + """
- fence: b
- fence: {endpoint: b, kind: read}
- fulfill: {request: r, content: null}
- fence: b
- stream: {where: {status: pending}, count: 0}
  now: true
- received: {by: b, count: 1}
  now: true
  check: it
""",
    "cut and silenced": """
- connect: a
- cut: {endpoint: a, refuse: true}
  as: c
- lift: c
- fence: a
- silence: a
  as: n
- wait: 0.05
- lift: n
- fence: a
  check: it
""",
    "a fault that is not for everything": ASKED
    + """
- entry: {of: s}
- fault: {on: a, command: "XADD ...", do: drop-reply, skip: 0, times: 1}
  as: f
- send: {from: a, to: b, content: second}
  as: t
- struck: {fault: f, count: 1}
- entry: {of: t, fields: {content: second}}
  check: it
""",
    "aged consumers": SIBLING
    + """
- fence: a
- peer: {name: old, group: a, register: false, keep: false}
- age: {consumers: a, idle: 31000}
- consumers: {of: old, all: {idle: {$at_least: 31000}}}
- fence: a
- stream: {count: 0}
  check: it
""",
    "flow": """
- set: {total: [3, 2, 1]}
- repeat:
    times: 3
    as: i
    do:
      - set: {"x${i}": "${total.${i}}"}
- value: {of: ["${x0}", "${x2}", "${i}"], is: [3, 1, 2]}
- together:
    - [{set: {left: 1}}]
    - [{set: {right: 2}}]
- value: {of: ["${left}", "${right}"], is: [1, 2]}
- background: {every: 0.01, do: [{redis: [INCR, "${stream}:n"]}]}
  as: k
- redis: [GET, "${stream}:n"]
  reply: {$match: "^[3-9]|[0-9]{2,}$"}
  within: 5
- stop: k
- value: {of: 1, is: 1}
  throughout: 0.02
  note: nothing happens here
  check: it
""",
}


SCENARIOS |= {
    "a crowd joins in one step": """
- crowd: {name: p, group: g, size: 200, register: true}
- consumers: {group: g, count: 400}
- list: {of: p199, equals: ["${p199.consumer}"]}
- value: {of: ["${p0.group}", "${p.7.instance}"], is: [g, "${p7.instance}"]}
- add: {from: p0, to: g, content: x}
  as: e
- read: {peer: p150, of: e}
  check: it
""",
    "many requests in one step": HANDLED
    + """
- peer: {name: p, group: b}
- add: {from: a, to: b, content: "number ${n}", times: 300, taken_by: p}
  as: f
- pending: {group: b, entry: f299, consumer: "${p.dispatcher}"}
- value: {of: ["${f0.content}", "${f299.content}"], is: [number 0, number 299]}
- add: {from: a, to: b, content: "${n}", times: 2}
  as: g
- received: {by: b, of: g1, content: 1}
  check: it
""",
    "a command that is refused for a second": """
- connect: a
- peer: b
- fault: {on: a, command: "XADD ...", do: error, text: "OOM command not allowed", times: 0, seconds: 1}
  as: f
- mark: before
- send: {from: a, to: b, content: x}
  as: s
- struck: f
- entry: {of: s}
  as: e
- elapsed: {from: "${before}", to: "${e.at}", is: {$at_least: 1}}
  check: it
""",
    "half a command and half a reply": """
- connect: a
- peer: b
- fault: {on: a, command: "XADD ...", do: cut-within}
  as: f
- send: {from: a, to: b, content: first}
  as: s
- struck: f
- fence: {endpoint: a, kind: read}
- fault: {on: a, command: "XADD ...", do: reply-within}
  as: g
- send: {from: a, to: b, content: second}
  as: t
- struck: g
- read: {peer: b, where: {content: second}}
  check: it
""",
    "a reply over the limit of its link": """
- connect: a
- peer: b
- add: {from: b, to: nobody, content: {$repeat: "x", times: 3000}}
- fence: {endpoint: a, kind: read}
- mark: before
- limit: {endpoint: a, bytes: 2000}
  as: l
- add: {from: b, to: nobody, content: {$repeat: "x", times: 3000}}
- connections: {of: a, closed: {$at_least: 1}, since: before}
- lift: l
- fence: {endpoint: a, kind: read}
  within: recover
  check: it
""",
    "a phase": """
- mark: now
- wait: {$between: [0.05, 0.3]}
- mark: later
- elapsed: {from: "${now}", to: "${later}", is: {$at_least: 0.05}}
  check: it
""",
}


@pytest.mark.parametrize("steps", SCENARIOS.values(), ids=SCENARIOS.keys())
async def test_the_step_does_what_it_says(holds: Holds, steps: str) -> None:
    await holds(steps)


def test_every_word_of_the_grammar_can_be_played() -> None:
    assert set(step_words()) == set(WORDS)


async def test_processes_are_killed_paused_and_come_back(holds: Holds) -> None:
    steps = """
    - connect: a
    - connect: {endpoint: b, process: two}
    - process: {pause: two}
    - peer: c
    - add: {from: c, to: b, content: x}
      as: e
    - received: {by: b, of: e, none: true}
      throughout: 0.1
    - process: {resume: two}
    - received: {by: b, of: e}
    - process: {kill: one}
    - connect: {endpoint: a2, process: one}
    - fence: a2
      check: it
    """
    await holds(steps, head="needs: [kill, pause]")


async def test_the_own_server_is_flushed_stopped_and_started(holds: Holds) -> None:
    steps = """
    - redis: [SET, kept, "1"]
    - server: restart
    - key: {name: kept, exists: true}
    - server: stop
    - server: start
    - key: {name: kept, exists: true}
    - server: restart-empty
    - key: {name: kept, exists: false}
    - redis: [SET, kept, "1"]
    - server: flush
    - key: {name: kept, exists: false}
      check: it
    """
    await holds(steps, head="needs: [flush, restart]")


async def test_the_rows_of_one_run_share_the_endpoints(holds: Holds) -> None:
    head = "rows: [{name: one, v: 1}, {name: two, v: {$one_of: [2, 3]}}]"
    steps = """
    - connect: b
    - peer: a
    - each-row:
        - add: {from: a, to: b, content: 2, id: "id-${row.name}"}
          as: e
        - received: {by: b, of: e, content: {$any: true}}
          as: r
        - fulfill: {request: r, content: "${row.name}"}
        - entry: {answer_to: e, fields: {content: "${row.name}"}}
          check: "c-${row.name}"
    """
    result = await holds(steps, checks="c-${row.name}", head=head)
    assert [check.name for check in result.checks] == ["c-one", "c-two"]


async def test_without_each_row_every_row_is_a_run_of_its_own(holds: Holds) -> None:
    steps = """
    - set: {seen: "${row.v}"}
    - redis: [INCR, "${stream}:n"]
      reply: 1
    - value: {of: "${seen}", is: "${row.v}"}
      check: "c-${row.name}"
    - value: {of: 1, is: 1}
      check: all
    """
    result = await holds(steps, checks="c-${row.name} all", head="rows: [{name: one, v: 1}, {name: two, v: 2}]")
    assert sorted(check.name for check in result.checks) == ["all", "c-one", "c-two"]
