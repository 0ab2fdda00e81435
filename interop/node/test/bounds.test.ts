import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { LastLook } from "../src/core/last-look.js";
import { Send } from "../src/core/ledger.js";
import { deleteConsumers } from "../src/core/restoring.js";
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
});
