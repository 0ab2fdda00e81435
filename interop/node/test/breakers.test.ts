import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Breakers, FIRST_PAUSE_MS, MOST_KNOWN, LONGEST_PAUSE_MS } from "../src/core/breakers.js";
import { LastLook } from "../src/core/last-look.js";
import { Send } from "../src/core/ledger.js";
import { type Problem, Stream } from "../src/index.js";
import type { Command } from "../src/wire/commands.js";
import { RedisFault } from "../src/wire/faults.js";

import { FakeRedis, type Said } from "./fake-redis.js";
import { Parts } from "./parts.js";

const [BAD, GOOD, ALSO] = ["1-0", "2-0", "3-0"] as const;
const LOST = new RedisFault("lost", "the connection broke");

const read = (...ids: string[]): Command[] => ids.map((id) => ["XRANGE", "s", id, id]);
const rows = (...ids: string[]) => ids.map((entryId) => ({ entryId }));

/** The connection broke while these bodies were asked for, together. */
function broke(breakers: Breakers, now: number, ...ids: string[]): void {
  breakers.asked(read(...ids));
  breakers.replied(read(...ids), ids.map(() => LOST), now);
}

function fresh(wasRead: readonly string[] = []): { breakers: Breakers; told: string[] } {
  const told: string[] = [];
  return { breakers: new Breakers((id) => wasRead.includes(id), (id) => told.push(id)), told };
}

describe("bodies that break the connection when they are read (RIPC-RECOV-28)", () => {
  test("what was read together is read alone from then on", () => {
    const { breakers } = fresh();
    broke(breakers, 1, BAD, GOOD);
    assert.deepEqual([BAD, GOOD, ALSO].map((id) => breakers.trusts(id)), [false, false, true]);
    assert.deepEqual(breakers.alone(rows(BAD, GOOD, ALSO), 1), rows(BAD, GOOD));
  });

  test("two batches on one connection are no proof against either body", () => {
    const { breakers, told } = fresh();
    for (let i = 0; i < 3; i++) {
      breakers.asked(read(BAD));
      breakers.asked(read(GOOD));
      breakers.replied(read(BAD), [LOST], i);
      breakers.replied(read(GOOD), [LOST], i);
    }
    assert.deepEqual(breakers.alone(rows(BAD, GOOD), 3), rows(BAD, GOOD));
    assert.deepEqual(told, []);
  });

  test("what came is trusted again, and what came before the break is not suspect", () => {
    const { breakers } = fresh();
    broke(breakers, 1, BAD, GOOD);
    breakers.asked(read(GOOD));
    breakers.replied(read(GOOD), [[]], 2);
    assert.ok(breakers.trusts(GOOD) && !breakers.trusts(BAD));
    breakers.asked(read(GOOD, ALSO));
    breakers.replied(read(GOOD, ALSO), [[], LOST], 3);
    assert.ok(breakers.trusts(GOOD) && !breakers.trusts(ALSO));
  });

  test("what was not sent is not suspect, and neither is what was read before", () => {
    const { breakers } = fresh([GOOD]);
    breakers.asked(read(BAD));
    breakers.replied(read(BAD), [new RedisFault("unsent", "there is no connection")], 1);
    broke(breakers, 1, GOOD);
    assert.ok(breakers.trusts(BAD) && breakers.trusts(GOOD));
  });

  test("the pauses grow while it breaks alone, and have a bound", () => {
    const { breakers, told } = fresh();
    const pauses: number[] = [];
    for (let i = 0, now = 0; i < 40; i++, now = breakers.due) {
      broke(breakers, now, BAD);
      breakers.later(rows(BAD));
      assert.deepEqual(breakers.alone(rows(BAD), breakers.due - 1), []);
      assert.deepEqual(breakers.alone(rows(BAD), breakers.due), rows(BAD));
      pauses.push(breakers.due - now);
    }
    assert.deepEqual(pauses.slice(0, 6), [FIRST_PAUSE_MS, 4000, 8000, 16_000, 32_000, LONGEST_PAUSE_MS]);
    assert.equal(pauses.at(-1), LONGEST_PAUSE_MS);
    assert.deepEqual(told, [BAD]);
  });

  test("what broke least often is read first, and no more than a bounded number is remembered", () => {
    const { breakers } = fresh();
    broke(breakers, 0, BAD);
    broke(breakers, 0, GOOD, ALSO);
    assert.deepEqual(breakers.alone(rows(BAD, GOOD, ALSO), 10_000), rows(GOOD, ALSO, BAD));
    const many = Array.from({ length: 3 * MOST_KNOWN }, (_, i) => `${i + 10}-0`);
    broke(breakers, 1, ...many);
    assert.equal(many.filter((id) => !breakers.trusts(id)).length, MOST_KNOWN);
  });

  test("others start beside an entry that breaks each read, which is reported", { timeout: 120_000 }, async () => {
    await using redis = await FakeRedis.start();
    const pending = new Set<string>([BAD, GOOD, ALSO]);
    let breaks = 0;
    redis.says.set("XPENDING s web - + 500 dispatcher", (command): Said => {
      const owner = command.split(" ").at(-1) ?? "";
      return [...pending].map((id) => [id, owner, 10, 1]);
    });
    redis.says.set(`XRANGE s ${BAD}`, () => {
      breaks++;
      redis.cut();
      return undefined;
    });
    redis.says.set("XRANGE s ", (command): Said => {
      const [, , id = ""] = command.split(" ");
      const fields = ["id", id.padEnd(21, "r"), "instance_id", "51b110", "status", "pending", "content", "1", "source_group", "b", "destination_group", "web"];
      return [[id, fields]];
    });
    redis.says.set("XCLAIM", (command): Said => command.split(" ").filter((word) => pending.has(word)));
    redis.says.set("XACK", (command): Said => command.split(" ").filter((word) => pending.delete(word)).length);
    const started: string[] = [];
    const problems: Problem[] = [];
    await using stream = await Stream.connect({
      ...redis.place, group: "web", wakeups: false, closeTimeoutMs: 0,
      onRequest: ({ id }) => started.push(id.replaceAll("r", "")),
    });
    stream.on("problem", (problem) => problems.push(problem));
    redis.cut();
    while (problems.length === 0) await sleep(20);
    assert.deepEqual(started, [GOOD, ALSO]);
    assert.deepEqual(problems.map(({ kind, entryId }) => [kind, entryId]), [["unreadable", BAD]]);
    // Together with the others, then alone: at once, and after 2 s.
    assert.equal(breaks, 3);
    redis.says.set(`XRANGE s ${BAD}`, []); // its requester gave it up
    await redis.sees(`XACK s web ${BAD}`, 0, 8000);
    assert.equal(breaks, 3);
  });

  test("an own list that breaks two connections goes to where each body is read alone", async () => {
    const parts = new Parts();
    const { ownList, breakers, names } = parts.shared;
    let breaks = 0;
    parts.replies.set(`XREADGROUP GROUP web ${names.consumer}`, () => (breaks++ < 2 ? LOST : null));
    parts.replies.set("XPENDING", () => [[Buffer.from(BAD), Buffer.from(names.consumer), 1, 1]]);
    for (let i = 0; i < 3; i++) await ownList.read().catch(() => undefined);
    assert.equal(breaks, 3);
    assert.deepEqual((await parts.settle()).filter(([name]) => name === "XCLAIM"), [["XCLAIM", "s", "web", names.dispatcher, 0, BAD, "JUSTID"]]);
    assert.ok(!breakers.trusts(BAD) && breakers.due === parts.now);
  });

  test("a search for what was given up ends though it breaks each connection, and leaves out a known cause", async () => {
    const parts = new Parts();
    const look = new LastLook(parts.shared, () => undefined);
    const send = new Send("a".repeat(21), "b", "1", parts.now + 1000, () => undefined);
    send.floor = "7-0";
    parts.replies.set("XRANGE", () => LOST);
    look.forget(send);
    for (let i = 0; i < 6; i++) {
      await parts.settle();
      look.sweep();
    }
    assert.equal(parts.sent.filter(([name]) => name === "XRANGE").length, 3);
    parts.replies.delete("XRANGE");
    parts.replies.set("XINFO STREAM", [Buffer.from("last-generated-id"), Buffer.from("9-0")]);
    broke(parts.shared.breakers, parts.now, "8-0");
    look.forget(send);
    const ranges = (await parts.settle()).filter(([name]) => name === "XRANGE");
    assert.deepEqual(ranges.map((command) => command.slice(2, 4)), [["(7-0", "(8-0"], ["(8-0", "+"]]);
  });
});
