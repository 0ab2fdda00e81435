import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { CONNECTED_BEFORE_DELETE_MS, LOOK_BEFORE_DELETE_MS } from "../src/core/siblings.js";
import { restore } from "../src/core/restoring.js";
import type { Command } from "../src/wire/commands.js";
import type { Reply } from "../src/wire/replies.js";
import { Parts } from "./parts.js";

const BACK = "d4e5f6";
const DISPATCHER = `dispatcher_${BACK}_0`;
const CONSUMER = `consumer_${BACK}_0`;

/** The reply to XRANGE of one entry. */
function body(status: string, instance: string, to: string): Reply {
  const fields = { id: "9f86d081884c7d659a2fe", instance_id: instance, status, content: "1", source_group: "peers", destination_group: to };
  return [[Buffer.from("5-0"), Object.entries(fields).flat().map((text) => Buffer.from(text))]];
}

/** What is sent for an entry that went with the consumer of another instance, and was idle for so many ms. */
async function restored(entry: Reply, consumer: string, idle: number): Promise<Command[]> {
  const parts = new Parts({ wakeups: false });
  parts.replies.set("XRANGE", entry);
  await restore(parts.shared, [{ entryId: "5-0", owner: Buffer.from(consumer), idle, deliveries: 1 }]);
  return parts.sent.filter(([name]) => name !== "XRANGE");
}

describe("what went with the consumer of an instance that is back (RIPC-LIFE-25)", () => {
  const ownerOf = (commands: Command[]) => commands.map((command) => `${command[0]} ${String(command[3])}`);

  test("stays with it for 10 s: a request that it read, a response that was handed over", async () => {
    assert.deepEqual(ownerOf(await restored(body("pending", "51b110", "web"), DISPATCHER, 200)), [`XCLAIM ${DISPATCHER}`]);
    assert.deepEqual(ownerOf(await restored(body("fulfilled", BACK, "web"), CONSUMER, 200)), [`XCLAIM ${CONSUMER}`]);
  });

  test("is given back later, a response to it is deleted", async () => {
    assert.deepEqual(ownerOf(await restored(body("pending", "51b110", "web"), DISPATCHER, 10_000)), ["XCLAIM dispatcher_a1b2c3_0"]);
    assert.deepEqual((await restored(body("fulfilled", BACK, "web"), CONSUMER, 10_000)).map(([name]) => name), ["XDEL"]);
  });

  test("is left alone where it is for another group", async () => {
    assert.deepEqual(await restored(body("pending", "51b110", "other"), DISPATCHER, 200), []);
  });
});

/** The consumers that a member deletes which has been connected for long. `list`: the replies to LRANGE in turn; `tookMs`: each look. */
async function deleted(lists: readonly Reply[], tookMs = 0): Promise<unknown[]> {
  const parts = new Parts({ wakeups: false });
  parts.shared.liveSince = parts.now - CONNECTED_BEFORE_DELETE_MS - 1;
  const idle = (name: string): Reply => ["name", Buffer.from(name), "pending", 0, "idle", 125_000].map((part) => (typeof part === "string" ? Buffer.from(part) : part));
  parts.replies.set("XINFO CONSUMERS", [idle(DISPATCHER), idle(CONSUMER)]);
  let looks = 0;
  parts.replies.set("LRANGE", () => {
    parts.now += looks > 0 ? tookMs : 0;
    return lists[looks++] ?? [];
  });
  parts.replies.set("XPENDING", []);
  parts.replies.set("EXEC", [[], 0]);
  parts.replies.set("GET", null);
  await parts.shared.siblings.refresh();
  await parts.settle();
  assert.equal(looks, 2);
  return parts.sent.filter(([, name]) => name === "DELCONSUMER").map((command) => String(command[4]));
}

describe("the consumers of an instance that seems to be dead (RIPC-LIFE-23)", () => {
  test("are deleted after another look", async () => {
    assert.deepEqual(await deleted([[], []]), [DISPATCHER, CONSUMER]);
  });

  test("stay where it has registered since the first look", async () => {
    assert.deepEqual(await deleted([[], [Buffer.from(CONSUMER)]]), []);
  });

  test("stay where the look is too old by then", async () => {
    assert.deepEqual(await deleted([[], []], LOOK_BEFORE_DELETE_MS + 1), []);
    assert.deepEqual(await deleted([[], []], LOOK_BEFORE_DELETE_MS - 1), [DISPATCHER, CONSUMER]);
  });
});
