import assert from "node:assert/strict";
import { describe, test } from "node:test";

import type { Held } from "../src/core/held.js";
import { LastLook } from "../src/core/last-look.js";
import { Send } from "../src/core/ledger.js";
import { deleteConsumers } from "../src/core/restoring.js";
import { type Problem, Reporter } from "../src/events.js";
import { entryOf } from "../src/wire/entry.js";
import { faultOf } from "../src/wire/faults.js";
import { Parts } from "./parts.js";

describe("what grows with trouble has a bound", () => {
  test("thousands of dead consumers are deleted in batches of at most 400 commands", async () => {
    const { shared } = new Parts();
    const batches: number[] = [];
    const deleted: unknown[] = [];
    Object.assign(shared, {
      batch: (commands: readonly (readonly unknown[])[]) => {
        batches.push(commands.length);
        deleted.push(...commands.filter(([, sub]) => sub === "DELCONSUMER").map((command) => command[4]));
        return Promise.resolve(commands.map(([name]) => (name === "XPENDING" ? [] : name === "EXEC" ? [[], 0] : "QUEUED")));
      },
    });
    const dead = Array.from({ length: 1050 }, (_, i) => `consumer_${i}`);
    await deleteConsumers(shared, dead);
    assert.deepEqual(deleted, dead);
    assert.ok(Math.max(...batches) <= 400, String(batches));
  });

  test("requests that nobody waits for and that may be on the stream: of more than 10,000, the oldest are left to their group", () => {
    const { shared } = new Parts();
    shared.session = undefined;
    const look = new LastLook(shared, () => undefined);
    for (let i = 0; i < 10_050; i++) look.forget(new Send(String(i), "stock", "1", 0, () => undefined));
    const { forgotten } = look as unknown as { forgotten: Map<string, Send> };
    assert.equal(forgotten.size, 10_000);
    assert.equal([...forgotten.values()][0]?.id, "50");
  });

  test("texts of others are cut where they are kept or told", () => {
    const long = "x".repeat(1 << 20);
    assert.ok(faultOf(`ERR ${long}`).message.length < 1100);
    const problems: Problem[] = [];
    const reporter = new Reporter();
    reporter.on("problem", (problem) => problems.push(problem));
    reporter.problem({ kind: "malformed", message: `unknown field ${long}` });
    reporter.refusal("too_old", { entryId: "1-0", request: { id: Buffer.from(long), source: Buffer.from(long) } }, "the request waited 9 s");
    assert.equal(problems.length, 2);
    for (const { message } of problems) assert.ok(message.length < 2100, String(message.length));
    assert.match(problems[1]?.message ?? "", /: the request waited 9 s$/);
  });

  test("nobody asks for the announcement of a sender with a huge name", async () => {
    let held: Held | undefined;
    const parts = new Parts({ wakeups: false }, (one) => {
      held = one;
      return new Promise(() => undefined);
    });
    const fields = { id: "9f86", instance_id: "x".repeat(5000), status: "pending", content: "1", source_group: "b", destination_group: "web" };
    parts.shared.router.route(entryOf(`${parts.now}-0`, Object.entries(fields).flat().map((text) => Buffer.from(text))), 1, parts.now);
    await parts.settle();
    const asked: unknown[] = [];
    Object.assign(parts.shared, { batch: (commands: readonly unknown[]) => { asked.push(...commands); return Promise.resolve([null]); } });
    assert.equal(held?.timeLeftMs(undefined), undefined);
    assert.deepEqual(asked, []);
  });
});
