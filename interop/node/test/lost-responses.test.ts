import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Reclaimer } from "../src/core/reclaimer.js";
import type { Reply } from "../src/wire/replies.js";
import { Parts } from "./parts.js";

const OWNER = Buffer.from("dispatcher_dead00_0");

const body = (status: string) =>
  ["id", "9f86d081884c7d659a2fe", "instance_id", "51b110", "status", status, "content", "1", "source_group", "peers", "destination_group", "web"].map((text) => Buffer.from(text));

/** A dead member left the entries 1-0, 2-0 ...: that of this place is a response, the others are requests. This instance has no handler. */
class Left {
  readonly parts = new Parts({ wakeups: false }, null);

  constructor(count: number, response: number) {
    const { replies } = this.parts;
    const rows = Array.from({ length: count }, (_, i): Reply => [Buffer.from(`${i + 1}-0`), OWNER, 60_000, 1]);
    for (let first = 0; first <= count; first += 128) {
      replies.set(`XPENDING s web IDLE 7000 ${first === 0 ? "-" : `(${first}-0`} + 128`, rows.slice(first, first + 128));
    }
    for (let i = 1; i <= count; i++) replies.set(`XRANGE s ${i}-0 `, [[Buffer.from(`${i}-0`), body(i === response ? "fulfilled" : "pending")]]);
    replies.set("XCLAIM", []);
  }

  /** A look, 3 s after the one before: the commands that it sends. */
  async look(): Promise<string[][]> {
    this.parts.now += 3001;
    await this.parts.settle();
    const { reclaimer } = this.parts.shared;
    assert.ok(reclaimer instanceof Reclaimer);
    await reclaimer.look();
    return (await this.parts.settle()).map((command) => command.map(String));
  }
}

const named = (name: string, sent: readonly string[][]) => sent.filter(([first]) => first === name);

describe("a member without room takes a dead member's response, and no requests (RIPC-GROUP-17)", () => {
  for (const [count, response] of [[21, 21], [61, 61], [300, 170], [1001, 1001]] as const) {
    test(`response ${response} of ${count} entries`, async () => {
      const left = new Left(count, response);
      assert.deepEqual(named("XCLAIM", await left.look()), []);
      assert.deepEqual(named("XCLAIM", await left.look()).map((claim) => claim[5]), [`${response}-0`]);
    });
  }

  test("not more than 32 bodies at once: nobody has seen how large they are", async () => {
    const left = new Left(300, 300);
    const { session } = left.parts.shared;
    assert.ok(session !== undefined);
    const batch = session.batch.bind(session);
    let most = 0;
    session.batch = (commands) => {
      most = Math.max(most, commands.filter(([name]) => name === "XRANGE").length);
      return batch(commands);
    };
    await left.look();
    await left.look();
    assert.equal(most, 32);
  });

  test("it reads each body once, and later only some: they may be gone (RIPC-GROUP-16)", async () => {
    const left = new Left(1000, 1);
    await left.look();
    assert.equal(named("XRANGE", await left.look()).length, 1000);
    const later = named("XRANGE", await left.look()).map(([, , id]) => id);
    assert.ok(later.length > 0 && later.length <= 128 + 1, `${later.length} bodies`);
    left.parts.replies.set("XRANGE s 900-0 ", []);
    for (let looks = 0; looks < 10; looks++) await left.look();
    await left.parts.settle();
    assert.ok(left.parts.sent.some(([name, , , id]) => name === "XACK" && id === "900-0"), "nobody acknowledged it");
  });
});
