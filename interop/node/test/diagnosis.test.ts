import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";

import { findingOf, missingGroup } from "../src/core/diagnosis.js";
import { RequestTimeout } from "../src/index.js";
import { valueOf } from "../src/outcome.js";
import { faultOf } from "../src/wire/faults.js";
import type { Reply } from "../src/wire/replies.js";
import { Parts } from "./parts.js";

const bytes = (text: string) => Buffer.from(text);

/** XINFO GROUPS with one group. */
function group(name: string, lastDelivered = "9-0", lag?: number, pending = 1): Reply {
  return [bytes("name"), bytes(name), bytes("consumers"), 2, bytes("pending"), pending, bytes("last-delivered-id"), bytes(lastDelivered), ...(lag === undefined ? [] : [bytes("lag"), lag])];
}

/** XINFO CONSUMERS with instances that have been idle for so long. */
function members(...idle: number[]): Reply {
  return idle.map((ms, i) => [bytes("name"), bytes(`dispatcher_${i}_0`), bytes("pending"), 0, bytes("idle"), ms]);
}

const owned = (idle: number, deliveries: number): Reply => [[bytes("9-0"), bytes("dispatcher_c0ffee_0"), idle, deliveries]];

/** What an error says after a send without an answer, where Redis says this. */
async function told(replies: Readonly<Record<string, Reply>>, prepare: (parts: Parts) => void = () => undefined): Promise<RequestTimeout> {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const parts = new Parts({ wakeups: false, earlyEnd: false });
    for (const [begin, reply] of Object.entries(replies)) parts.replies.set(begin, reply);
    prepare(parts);
    parts.send("stock", 300);
    await parts.settle();
    parts.now += 300;
    mock.timers.tick(300);
    await parts.settle();
    const [outcome] = parts.outcomes;
    assert.equal(outcome?.status, "timeout");
    valueOf(outcome, { group: "stock", requestId: "9f86", timeoutMs: 300, signal: undefined });
  } catch (error) {
    if (error instanceof RequestTimeout) return error;
    throw error;
  } finally {
    mock.timers.reset();
  }
  return assert.fail("it was answered");
}

const CASES: Readonly<Record<string, readonly [replies: Readonly<Record<string, Reply>>, diagnosis: string | undefined, text: string]>> = {
  "a group that does not exist": [{ "XINFO GROUPS": [group("stok")] }, "no_such_group", ": there is no group stock (groups here: stok); did you mean stok?; request 9f86"],
  "a group without living instances": [
    { "XINFO GROUPS": [group("stock", "1-0")], "XINFO CONSUMERS s stock": members(41_000, 99_000), "XPENDING s stock 9-0": [] },
    "no_live_instance", ": group stock has no living instance (last seen 41 s ago); request 9f86",
  ],
  "a group that has not come to it": [
    { "XINFO GROUPS": [group("stock", "1-0", 37)], "XINFO CONSUMERS s stock": members(3000, 5000), "XPENDING s stock 9-0": [] },
    "not_read", ": not read yet: 2 instances, the last active 3 s ago; 37 entries wait for the group; request 9f86",
  ],
  "an instance that holds it": [
    { "XINFO GROUPS": [group("stock")], "XINFO CONSUMERS s stock": members(10), "XPENDING s stock 9-0": owned(10, 4) },
    "held", ": held by stock/c0ffee (started 2 times); request 9f86",
  ],
  "a request that was given back": [
    { "XINFO GROUPS": [group("stock")], "XINFO CONSUMERS s stock": members(10), "XPENDING s stock 9-0": owned(315_360_000_000, 1) },
    "not_read", ": no instance of group stock had room for it: 1 instance; request 9f86",
  ],
  "a request that nobody answered": [
    { "XINFO GROUPS": [group("stock")], "XINFO CONSUMERS s stock": members(10), "XPENDING s stock 9-0": [] },
    "not_held", ": group stock does not hold it: it was stored before the group was made, or a member acknowledged it and wrote no answer that could be found; request 9f86",
  ],
  "replies that make no sense": [{ "XINFO GROUPS": [[bytes("name"), bytes("stock"), bytes("last-delivered-id"), bytes("9-0")]], "XINFO CONSUMERS": 7, XPENDING: 7 }, undefined, "; request 9f86"],
  "replies of which one makes sense": [
    { "XINFO GROUPS": [group("stock")], "XINFO CONSUMERS": 7, XPENDING: 7 },
    "held", ": group stock has read past it and did not answer in time (1 pending there, perhaps this one); request 9f86",
  ],
  "no right to look": [{ XINFO: faultOf("NOPERM no"), XPENDING: faultOf("NOPERM no") }, undefined, "; request 9f86"],
};

describe("a send without an answer says why", () => {
  for (const [about, [replies, diagnosis, text]] of Object.entries(CASES)) {
    test(about, async () => {
      const error = await told(replies);
      assert.deepEqual([error.diagnosis, error.message], [diagnosis, `stock did not answer within 300 ms${text}`]);
    });
  }

  test("Redis is away", async () => {
    const error = await told({}, ({ shared }) => {
      shared.live = false;
      shared.lifecycle.reason = "connection refused";
    });
    assert.deepEqual([error.diagnosis, error.message], ["redis_away", "stock did not answer within 300 ms: no working connection to Redis: connection refused; request 9f86"]);
  });

  test("Redis does not take the request", async () => {
    const error = await told({ XADD: faultOf("OOM command not allowed when used memory > 'maxmemory'.") });
    assert.equal(error.diagnosis, "redis_away");
    assert.ok(error.message.endsWith("Redis refused to store it: OOM command not allowed when used memory > 'maxmemory'; request 9f86"), error.message);
  });

  test("Redis is asked once a second at most, however many sends time out", async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    const parts = new Parts({ wakeups: false, earlyEnd: false });
    for (let i = 0; i < 20; i++) parts.send("stock", 300 + i);
    await parts.settle();
    for (let i = 0; i < 20; i++) {
      parts.now += i === 0 ? 300 : 1;
      mock.timers.tick(i === 0 ? 300 : 1);
      await parts.settle();
    }
    mock.timers.reset();
    assert.equal(parts.outcomes.length, 20);
    assert.equal(parts.sent.filter(([name, what]) => name === "XINFO" && what === "GROUPS").length, 1);
  });

  /** What is said of sends with these timeouts, where an instance holds each. */
  async function findings(timeouts: readonly number[], replies: Readonly<Record<string, Reply>>): Promise<(string | undefined)[]> {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      const parts = new Parts({ wakeups: false, earlyEnd: false });
      for (const [begin, reply] of Object.entries(replies)) parts.replies.set(begin, reply);
      let id = 9;
      parts.replies.set("XADD", () => bytes(`${id++}-0`));
      for (const timeout of timeouts) parts.send("stock", timeout);
      await parts.settle();
      for (let now = 0; now < 1200; now += 100) {
        parts.now += 100;
        mock.timers.tick(100);
        await parts.settle();
      }
      assert.equal(parts.sent.filter(([name, what]) => name === "XINFO" && what === "GROUPS").length, 1);
      return parts.outcomes.map((outcome) => (outcome.status === "timeout" ? outcome.finding?.text : outcome.status));
    } finally {
      mock.timers.reset();
    }
  }

  test("who ends within a second of a look shares its answers", async () => {
    const replies = { "XINFO GROUPS": [group("stock", "99-0")], "XINFO CONSUMERS s stock": members(10), XPENDING: owned(10, 2) };
    assert.deepEqual(await findings([300, 500, 1100], replies), [
      "held by stock/c0ffee (started once)", ...["0.2", "0.8"].map((age) => `group stock has read past it and did not answer in time (1 pending there, perhaps this one) (${age} s before)`),
    ]);
  });

  test("of many at once each has a diagnosis", async () => {
    const replies = { "XINFO GROUPS": [group("stock", "99-0", undefined, 40)], "XINFO CONSUMERS s stock": members(10), XPENDING: owned(10, 2) };
    const texts = await findings(Array.from({ length: 40 }, () => 300), replies);
    assert.equal(texts.filter((text) => text === "held by stock/c0ffee (started once)").length, 16);
    assert.equal(texts.filter((text) => text?.includes("(40 pending there, perhaps this one)")).length, 24);
  });

  test("a caller learns what the groups alone show", () => {
    assert.deepEqual(findingOf("stock", "9-0", []), { diagnosis: "no_such_group", text: "there is no group stock, and no other group here: nobody ever connected" });
    assert.equal(findingOf("stock", "9-0", [group("stock", "1-0")]).diagnosis, "not_read");
    assert.deepEqual(findingOf("stock", "9-0", [group("stock")]), { diagnosis: "held", text: "group stock has read past it and did not answer in time (1 pending there, perhaps this one)" });
    assert.equal(findingOf("stock", "9-0", [group("stock", "9-0", undefined, 0)]).diagnosis, "not_held");
    assert.equal(findingOf("stock", "9-0", faultOf("NOPERM no")).diagnosis, undefined);
  });

  test("a name that is near is named, and many others are not all listed", () => {
    const names = Array.from({ length: 20 }, (_, i) => `group-${String(i).padStart(2, "0")}`);
    assert.match(missingGroup("stock", names), /^there is no group stock \(groups here: group-00, .*, group-07, \.\.\.\)$/);
    assert.match(missingGroup("strok", [...names, "stock"]), /did you mean stock\?$/);
  });
});
