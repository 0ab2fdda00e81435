import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";

import { PAUSE_AFTER, Pace } from "../src/core/pace.js";
import { Reader } from "../src/core/reader.js";
import { SKIPPED_MS } from "../src/core/writer.js";
import { entryOf } from "../src/wire/entry.js";
import { Stream } from "../src/index.js";
import type { Session } from "../src/redis/session.js";
import { FakeRedis, type Said } from "./fake-redis.js";
import { Parts } from "./parts.js";

/** One that read others' entries one by one for a while, `gap` ms apart; and the moment of the last. */
function crowded(gap: number, mostMs = 2): [pace: Pace, now: number] {
  const pace = new Pace(mostMs);
  let now = 1000;
  for (let i = 0; i < 4 * PAUSE_AFTER; i++) pace.read(1, 1, (now += gap));
  return [pace, now];
}

/** The fields of a request. */
const request = (destination: string) => ["id", "9f86d081884c7d659a2fe", "instance_id", "51b110", "status", "pending", "content", "1", "source_group", "b", "destination_group", destination];

describe("a group that reads others' entries only", () => {
  test("pauses after many of them, for 2 ms at most", () => {
    const [pace, now] = crowded(0.5);
    assert.ok(pace.left(now) > 0.5 && pace.left(now) <= 2);
    assert.equal(pace.left(now + 2), 0);
  });

  test("pauses the less the denser the traffic is", () => {
    const [pace, now] = crowded(0.1);
    assert.ok(pace.left(now) > 0 && pace.left(now) <= 1);
  });

  test("does not pause where little happens, nor before it has seen many, nor where the option says so", () => {
    for (const [pace, now] of [crowded(50), crowded(0.5, 0)]) assert.equal(pace.left(now), 0);
    const pace = new Pace(2);
    for (let i = 1; i <= PAUSE_AFTER; i++) pace.read(1, 1, i * 0.5);
    assert.equal(pace.left(PAUSE_AFTER * 0.5), 0);
    pace.read(1, 1, (PAUSE_AFTER + 1) * 0.5);
    assert.ok(pace.left((PAUSE_AFTER + 1) * 0.5) > 0);
  });

  test("ends its pauses with an entry of its own, and with a read that brings nothing", () => {
    for (const [entries, others] of [[2, 1], [0, 0]] as const) {
      const [pace, now] = crowded(0.5);
      pace.read(entries, others, now);
      assert.equal(pace.left(now), 0);
      pace.read(1, 1, now + 0.5);
      assert.equal(pace.left(now + 0.5), 0, "it begins again");
    }
  });

  test("ends a pause as soon as something is under way", async () => {
    mock.timers.enable({ apis: ["setTimeout"] }); // no pause ends by itself
    try {
      const pace = new Pace(2);
      const paused = pace.pause(2);
      pace.wake();
      await paused;
      const [parts, other] = [new Parts(), new Parts()];
      const both = Promise.all([parts.shared.pace.pause(2), other.shared.pace.pause(2)]);
      parts.send();
      other.shared.router.route(entryOf("5-0", request("web").map((text) => Buffer.from(text))), 1, other.now);
      await both;
    } finally {
      mock.timers.reset();
    }
  });

  test("does not pause before the first read of a connection", async () => {
    const { shared, now } = new Parts();
    for (let i = 0; i < 4 * PAUSE_AFTER; i++) shared.pace.read(1, 1, now - 4 * PAUSE_AFTER + i);
    assert.ok(shared.pace.left(now) > 0);
    const reader = new Reader(shared, () => Promise.resolve(), () => Promise.resolve());
    await reader.start({ isOver: true } as unknown as Session);
    assert.equal(shared.pace.left(now), 0);
  });

  test("ends no later pause with an earlier one, whose connection is gone", async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      const pace = new Pace(50);
      const ended: number[] = [];
      const first = pace.pause(10).then(() => ended.push(1));
      mock.timers.tick(5);
      const second = pace.pause(10).then(() => ended.push(2));
      mock.timers.tick(5);
      await first;
      assert.deepEqual(ended, [1]);
      mock.timers.tick(5);
      await second;
    } finally {
      mock.timers.reset();
    }
  });

  test("acknowledges them with the next batch, or within 0.25 s (RIPC-ROUTE-13)", async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      const parts = new Parts();
      const skip = (id: string) => {
        parts.shared.router.route(entryOf(id, request("other").map((text) => Buffer.from(text))), 1, parts.now);
      };
      skip("5-0");
      mock.timers.tick(SKIPPED_MS - 1);
      skip("6-0");
      assert.deepEqual(await parts.settle(), []);
      assert.ok(parts.shared.writer.isSettling("5-0"));
      mock.timers.tick(1);
      assert.deepEqual(await parts.settle(), [["XACK", "s", "web", "5-0", "6-0"]]);
      skip("7-0");
      parts.shared.writer.remove("4-0");
      assert.deepEqual(await parts.settle(), [["XACK", "s", "web", "7-0"], ["XDEL", "s", "4-0"]]);
      mock.timers.tick(SKIPPED_MS);
      assert.deepEqual(await parts.settle(), [], "the timer went with them");
      skip("8-0");
      const done = parts.shared.writer.done();
      assert.deepEqual(await parts.settle(), [["XACK", "s", "web", "8-0"]], "who leaves does not wait");
      await done;
    } finally {
      mock.timers.reset();
    }
  });

  for (const [readPauseMs, pauses] of [[50, true], [0, false]] as const) {
    test(`${pauses ? "pauses" : "never pauses"} between two reads with readPauseMs ${readPauseMs}`, async (t) => {
      const paused = t.mock.method(Pace.prototype, "pause");
      await using redis = await FakeRedis.start();
      let number = 0;
      const entry = (): Said => [["s", [[`${++number}-0`, request("other")]]]];
      redis.says.set("XREADGROUP GROUP web dispatcher", (command) => (!command.includes("BLOCK") || number >= 40 ? undefined : entry()));
      await using stream = await Stream.connect({ ...redis.place, group: "web", wakeups: false, closeTimeoutMs: 0, readPauseMs });
      while (number < 40 && paused.mock.callCount() === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      assert.equal(paused.mock.callCount() > 0, pauses);
      assert.ok(paused.mock.calls.every(({ arguments: [ms] }) => ms <= readPauseMs));
      assert.equal(stream.stats().waiting, 0);
    });
  }

  test("takes no other pauses than from 0 to 50 ms", async () => {
    for (const readPauseMs of [-1, 51, NaN, "2" as unknown as number]) {
      await assert.rejects(Stream.connect({ url: "redis://127.0.0.1:1", stream: "s", group: "g", readPauseMs }), /readPauseMs must be a number of milliseconds from 0 to 50, not .*; 0 means never/);
    }
  });
});
