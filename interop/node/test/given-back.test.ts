import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import type { Held } from "../src/core/held.js";
import { GivingBack } from "../src/core/giving-back.js";
import { entryOf } from "../src/wire/entry.js";
import { faultOf } from "../src/wire/faults.js";
import type { Reply } from "../src/wire/replies.js";
import { Parts } from "./parts.js";

const FIELDS = ["id", "9f86d081884c7d659a2fe", "instance_id", "51b110", "status", "pending", "content", "1", "source_group", "peers", "destination_group", "web"].map((text) => Buffer.from(text));
const LOOK = "XPENDING s web IDLE 157680000000";

/** An instance that may run one request, looks for what was given back, and is given 6-0 during the look. */
async function look(listed: Reply): Promise<string[]> {
  const started: string[] = [];
  const parts = new Parts({ wakeups: false, concurrency: 1 }, (held: Held) => {
    started.push(held.entryId);
    return new Promise(() => undefined);
  });
  const { router, reclaimer } = parts.shared;
  parts.replies.set("XPENDING s web IDLE 7000", []);
  const looked = new Promise<void>((resolve) => {
    parts.replies.set(LOOK, () => {
      router.route(entryOf("6-0", FIELDS), 1, parts.now);
      parts.replies.set(LOOK, []);
      resolve();
      return listed;
    });
  });
  parts.replies.set("XRANGE s 4-0", [[Buffer.from("4-0"), FIELDS]]);
  parts.replies.set("XCLAIM", [Buffer.from("4-0")]);
  reclaimer.start(false);
  await looked;
  while (started.length === 0) await sleep(1);
  await parts.settle();
  await reclaimer.stop();
  return started;
}

describe("a new request that comes while given-back ones are looked for (RIPC-GROUP-34)", () => {
  test("starts after them", async () => {
    assert.deepEqual(await look([[Buffer.from("4-0"), Buffer.from("dispatcher_51b110_0"), 315_360_000_001, 1]]), ["4-0"]);
  });

  test("starts where there are none", async () => {
    assert.deepEqual(await look([]), ["6-0"]);
  });
});

test("a give-back that Redis refuses since it takes no writes is written again (RIPC-GROUP-23, RIPC-RECOV-26)", async () => {
  const parts = new Parts({ wakeups: false });
  const refusals = [faultOf("MISCONF unable to persist to disk"), faultOf("NOREPLICAS Not enough good replicas")];
  parts.replies.set("XCLAIM", () => refusals.shift() ?? [Buffer.from("4-0")]);
  const givingBack = new GivingBack(parts.shared);
  givingBack.add({ entryId: "4-0", keptAt: parts.now } as unknown as Held);
  while (parts.sent.filter(([name]) => name === "XCLAIM").length < 3) await sleep(5);
  await parts.settle();
  assert.ok(!givingBack.has("4-0"));
  assert.deepEqual(parts.started, []);
});
