import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { channelRequest, statedTimeoutMs } from "../src/channel-request.js";
import type { Held } from "../src/core/held.js";
import { entryOf } from "../src/wire/entry.js";
import { Parts } from "./parts.js";

const DAY_MS = 86_400_000;

describe("the timeout that a trigger states (RIPC-CHAN-17)", () => {
  test("is a whole number of milliseconds from 1 on, where the call gives one", () => {
    const stated = [750, 0.4, 40 * DAY_MS, 1e300].map((ms) => channelRequest("e", {}, ms).meta?.timeout_ms);
    assert.deepEqual(stated, [750, 1, 40 * DAY_MS, Number.MAX_SAFE_INTEGER]);
    assert.deepEqual(channelRequest("e", { a: 1 }, undefined), { event: "e", params: { a: 1 } });
  });

  test("is read, and anything else in its place states nothing (RIPC-CHAN-4)", () => {
    assert.equal(statedTimeoutMs({ meta: { timeout_ms: 500 } }), 500);
    assert.equal(statedTimeoutMs({ meta: { timeout_ms: 2n ** 64n } }), 2 ** 64);
    for (const content of [null, 7, [], {}, { meta: null }, { meta: [] }, { meta: 1 }, { meta: {} }, { meta: { timeout_ms: "500" } }, { meta: { timeout_ms: true } }]) {
      assert.equal(statedTimeoutMs(content), undefined);
    }
  });
});

describe("the time left of a request", () => {
  /** A request that was stored so long ago, by Redis' clock, as its handler has it. */
  async function started(ago: number): Promise<{ parts: Parts; held: Held }> {
    let held: Held | undefined;
    const parts = new Parts({ wakeups: false }, (one) => {
      held = one;
      return new Promise(() => undefined);
    });
    const fields = { id: "9f86d081884c7d659a2fe", instance_id: "51b110", status: "pending", content: "1", source_group: "b", destination_group: "web" };
    parts.shared.router.route(entryOf(`${parts.now - ago}-0`, Object.entries(fields).flat().map((text) => Buffer.from(text))), 1, parts.now);
    await parts.settle();
    assert.ok(held !== undefined);
    return { parts, held };
  }

  test("is what it states, less its age", async () => {
    const { parts, held } = await started(200);
    assert.equal(held.timeLeftMs(500), 300);
    parts.now += 400;
    assert.equal(held.timeLeftMs(500), -100);
    assert.deepEqual(await parts.settle(), []); // it asks nobody
  });

  test("is else what its instance announces: the first look asks for it, once", async () => {
    const { parts, held } = await started(200);
    parts.replies.set("GET s:b:51b110:announce", Buffer.from('{"spec": "1.0", "timeout_ms": 3000}'));
    assert.deepEqual([held.timeLeftMs(undefined), held.timeLeftMs(undefined)], [undefined, undefined]);
    assert.deepEqual((await parts.settle()).map((command) => command.join(" ")), ["GET s:b:51b110:announce"]);
    assert.equal(held.timeLeftMs(undefined), 2800);
    assert.deepEqual(await parts.settle(), []);
    parts.now += 60_000;
    held.timeLeftMs(undefined);
    assert.equal((await parts.settle()).length, 1);
  });

  for (const announced of ["null", "[]", '{"timeout_ms": 0}', '{"timeout_ms": 1.5}', '{"timeout_ms": "3"}', '{"timeout_ms": true}', '{"spec": "2.0", "timeout_ms": 3000}', "{"]) {
    test(`is not known where ${announced} is announced`, async () => {
      const { parts, held } = await started(0);
      parts.replies.set("GET", Buffer.from(announced));
      held.timeLeftMs(undefined);
      await parts.settle();
      assert.equal(held.timeLeftMs(undefined), undefined);
    });
  }
});
