import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { GIVE_BACK_IDLE_MS, GIVE_BACK_RESPONSE_IDLE_MS } from "../src/wire/commands.js";
import type { Reply } from "../src/wire/replies.js";
import { until } from "./own-time.js";
import { Parts } from "./parts.js";

const OWNER = Buffer.from("dispatcher_51b110_0");

const body = (status: string) =>
  ["id", "9f86d081884c7d659a2fe", "instance_id", "51b110", "status", status, "content", "1", "source_group", "peers", "destination_group", "web"].map((text) => Buffer.from(text));

/** Entries 1-0, 2-0 ... were given back: those of these places are responses, the others requests. This instance has no handler. */
function given(count: number, responses: readonly number[]): Parts {
  const parts = new Parts({ wakeups: false }, null);
  const rows = Array.from({ length: count }, (_, i): Reply => {
    const idle = responses.includes(i + 1) ? GIVE_BACK_RESPONSE_IDLE_MS : GIVE_BACK_IDLE_MS;
    return [Buffer.from(`${i + 1}-0`), OWNER, idle, 1];
  });
  for (let first = 0; first <= count; first += 128) {
    parts.replies.set(`XPENDING s web IDLE 7000 ${first === 0 ? "-" : `(${first}-0`} + 128`, rows.slice(first, first + 128));
  }
  parts.replies.set("XPENDING s web IDLE 157680000000 -", rows.slice(0, 8));
  for (let i = 1; i <= count; i++) parts.replies.set(`XRANGE s ${i}-0 `, [[Buffer.from(`${i}-0`), body(responses.includes(i) ? "fulfilled" : "pending")]]);
  parts.replies.set("XCLAIM", []);
  return parts;
}

/** The entries that it claims, once it has claimed some. */
async function claimed(parts: Parts): Promise<string[]> {
  const claims = () => parts.sent.filter(([name]) => name === "XCLAIM");
  parts.shared.reclaimer.start(false);
  await until(() => claims().length > 0, () => "nobody claimed anything");
  await parts.settle();
  await parts.shared.reclaimer.stop();
  return claims().flatMap((claim) => claim.slice(5, -1).map(String));
}

describe("a member without room takes the responses that were given back, and no requests (RIPC-GROUP-25)", () => {
  for (const [count, response] of [[31, 16], [31, 31], [151, 91], [151, 151], [1001, 1001]] as const) {
    test(`response ${response} of ${count} entries`, async () => {
      assert.deepEqual(await claimed(given(count, [response])), [`${response}-0`]);
    });
  }

  test("many of them in one command", async () => {
    const parts = given(300, Array.from({ length: 100 }, (_, i) => 3 * i + 1));
    assert.equal(new Set(await claimed(parts)).size, 100);
    assert.ok(parts.sent.some((command) => command[0] === "XCLAIM" && command.length >= 100));
  });

  test("a request with their mark is left", async () => {
    const parts = given(3, [1, 2]);
    parts.replies.set("XRANGE s 1-0 ", [[Buffer.from("1-0"), body("pending")]]);
    // On a busy machine a second look comes before the test ends, and claims it again.
    assert.deepEqual([...new Set(await claimed(parts))], ["2-0"]);
  });

  test("a body that may break the connection is read alone (RIPC-RECOV-28)", async () => {
    const parts = given(31, [16]);
    const batches: number[] = [];
    const { session } = parts.shared;
    assert.ok(session !== undefined);
    const batch = session.batch.bind(session);
    session.batch = (commands) => {
      if (commands.some(([name, , id]) => name === "XRANGE" && id === "16-0")) batches.push(commands.length);
      return batch(commands);
    };
    parts.shared.breakers.suspect("16-0");
    assert.deepEqual(await claimed(parts), ["16-0"]);
    assert.deepEqual(batches, [1]);
  });

  test("but not for 10 s after a reconnect (RIPC-RECOV-7)", async () => {
    const parts = given(3, [2]);
    const looks = () => parts.sent.filter(([name]) => name === "XPENDING").length;
    parts.shared.reclaimer.start(true);
    await until(() => looks() > 0, () => "nobody looked");
    await parts.settle();
    await parts.shared.reclaimer.stop();
    assert.ok(parts.sent.every(([name]) => name !== "XCLAIM"));
  });
});
