import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Channel, type Health, InvalidArgument, type Problem, Rejection, RequestRejected, Stream, type StreamOptions } from "../src/index.js";
import { valueOf } from "../src/outcome.js";
import { EachSecond, readReason, shortened } from "../src/reasons.js";
import { FakeRedis } from "./fake-redis.js";

/** The error that a rejection with this content ends with. */
function rejected(content: unknown): RequestRejected {
  try {
    valueOf({ status: "rejected", content: Buffer.from(JSON.stringify(content)) }, { group: "stock", requestId: "9f86", timeoutMs: 1, signal: undefined });
  } catch (error) {
    if (error instanceof RequestRejected) return error;
  }
  return assert.fail("no rejection");
}

describe("a rejection tells programs and people why", () => {
  test("a Rejection with a code travels as an object, and is read as one (RIPC-RESP-23)", () => {
    const { reason } = new Rejection("no such sku", { code: "not_found", data: { sku: 7 } });
    assert.deepEqual(reason, { error: { code: "not_found", message: "no such sku", data: { sku: 7 } } });
    const error = rejected(reason);
    assert.deepEqual([error.code, error.reasonCode, error.data, error.message], ["rejected", "not_found", { sku: 7 }, "stock rejected request 9f86: no such sku (not_found)"]);
  });

  test("an endpoint's own word is its code (RIPC-RESP-22), and a crash is told apart", () => {
    assert.deepEqual([rejected("overloaded: 7 wait").reasonCode, rejected("overloaded: 7 wait").code], ["overloaded", "rejected"]);
    assert.deepEqual([rejected("handler_failed: x").reasonCode, rejected("handler_failed: x").code], ["handler_failed", "handler-failed"]);
    assert.equal(rejected("Unsupported event. Given add").reasonCode, "unsupported_event");
    assert.equal(rejected("Malformed event data. Expected Hash, got Array").reasonCode, "invalid_params");
  });

  test("what is no code is none", () => {
    for (const reason of ["overloaded", "a text", 7, null, [], { error: {} }, { error: { code: "" } }, { error: { code: 7 } }, { error: null }, { __proto__: null, error: [] }]) {
      assert.equal(readReason(reason as never).code, undefined, JSON.stringify(reason));
    }
  });

  test("a message has a bound, the reason has none", () => {
    const error = rejected("x".repeat(5000));
    assert.deepEqual([error.message.length < 600, error.reason], [true, "x".repeat(5000)]);
    assert.equal(shortened("ab😀c", 3), "ab… (5 characters)");
  });

  test("a code that is blank, or beside a reason that is no text, is refused", () => {
    for (const [reason, code] of [["x", ""], ["x", " "], [{ a: 1 }, "word"], ["x", 7]]) {
      assert.throws(() => new Rejection(reason as never, { code: code as never }), InvalidArgument);
    }
  });

  test("one report of a kind passes in a second, with the number of those before", () => {
    const each = new EachSecond();
    assert.deepEqual([each.take("a", 0), each.take("a", 10), each.take("b", 10), each.take("a", 999), each.take("a", 1000), each.take("a", 2000)], [0, undefined, 0, undefined, 2, 0]);
  });
});

const FIELDS = { id: "9f86d081884c7d659a2fe", instance_id: "51b110", status: "pending", content: "1", source_group: "b", destination_group: "web" };

function entries(count: number, content = "1"): readonly (readonly [string, readonly (readonly [string, readonly string[]])[]])[] {
  return [["s", Array.from({ length: count }, (_, i) => [`${i + 1}-0`, Object.entries({ ...FIELDS, content }).flat()] as const)]];
}

async function connect(redis: FakeRedis, options: Partial<StreamOptions> = {}): Promise<Stream> {
  const stream = await Stream.connect({ ...redis.place, group: "web", wakeups: false, closeTimeoutMs: 0, ...options });
  await redis.sees(`XREADGROUP GROUP web dispatcher_${stream.instance}`);
  return stream;
}

function problemsOf(member: Stream | Channel): Problem[] {
  const problems: Problem[] = [];
  member.on("problem", (problem) => problems.push(problem));
  return problems;
}

describe("what an endpoint rejects by itself is told, once a second for each word", { timeout: 120_000 }, () => {
  test("without a handler", async () => {
    await using redis = await FakeRedis.start();
    await using stream = await connect(redis);
    const problems = problemsOf(stream);
    await redis.serve(entries(5));
    await redis.sees("EXEC", redis.sent.lastIndexOf("EXEC") + 1);
    assert.deepEqual(problems.map(({ kind, entryId }) => [kind, entryId]), [["no_handler", "1-0"]]);
    assert.match(problems[0]?.message ?? "", /^rejected request "9f86d081884c7d659a2fe" from "b": no_handler: no instance/);
  });

  test("an event that a channel does not have", async () => {
    await using redis = await FakeRedis.start();
    await using channel = await Channel.connect({ ...redis.place, channel: "web", wakeups: false, closeTimeoutMs: 0, events: { add: { run: () => 1 } } });
    const problems = problemsOf(channel);
    await redis.sees(`XREADGROUP GROUP web dispatcher_${channel.instance}`);
    await redis.serve(entries(3, '{"event":"none"}'));
    await redis.sees("EXEC", redis.sent.lastIndexOf("EXEC") + 1);
    assert.deepEqual(problems.map(({ kind }) => kind), ["unsupported_event"]);
    assert.match(problems[0]?.message ?? "", /Unsupported event\. Given none$/);
  });

  test("a handler that is cut off by the close", async () => {
    await using redis = await FakeRedis.start();
    const stream = await connect(redis, { onRequest: () => new Promise(() => undefined) });
    const problems = problemsOf(stream);
    await redis.serve(entries(1));
    while (stream.stats().running === 0) await new Promise(setImmediate);
    await stream.close();
    assert.deepEqual(problems.map(({ kind }) => kind), ["closing"]);
  });
});

describe("an endpoint says how it is", { timeout: 120_000 }, () => {
  test("in numbers", async () => {
    await using redis = await FakeRedis.start();
    const handlers = [() => 1, () => { throw new Rejection("no"); }, () => { throw new Error("x"); }, () => new Promise(() => undefined)];
    await using stream = await connect(redis, { concurrency: 1, onRequest: () => handlers.shift()?.() });
    problemsOf(stream);
    await redis.serve(entries(6));
    while (stream.stats().fulfilled + stream.stats().rejected < 3) await new Promise(setImmediate);
    const send = stream.send("b", 1, { timeoutMs: 50 });
    assert.equal(stream.stats().outstanding, 1);
    await assert.rejects(send, { code: "timeout" });
    const { oldestMs, ...numbers } = stream.stats();
    assert.deepEqual(numbers, { outstanding: 0, running: 1, waiting: 2, connections: 2, fulfilled: 1, rejected: 2, failed: 1, timeouts: 1, reconnects: 0 });
    assert.ok(oldestMs > 0);
  });

  test("by its state, and each change is told", async () => {
    await using redis = await FakeRedis.start();
    const stream = await connect(redis);
    const told: Health[] = [];
    stream.on("state", (health) => told.push(health));
    assert.deepEqual([stream.health().ok, stream.health().state], [true, "up"]);
    redis.refuses = true;
    redis.cut();
    while (stream.health().state !== "down") await new Promise(setImmediate);
    assert.notEqual(stream.health().reason, "");
    await assert.rejects(stream.ping("b"), { code: "timeout", diagnosis: "redis_away" });
    await assert.rejects(stream.waitForGroup("b", { timeoutMs: 50 }), { code: "timeout", diagnosis: "redis_away" });
    redis.refuses = false;
    while (!stream.health().ok) await new Promise(setImmediate);
    assert.equal(stream.stats().reconnects, 1);
    await stream.close();
    assert.deepEqual(told.map(({ state, ok }) => [state, ok]), [["down", false], ["up", true], ["closing", false], ["closed", false]]);
    await assert.rejects(stream.ping("b"), { code: "closed" });
  });

  test("busy, where all handlers are and none ends", async () => {
    await using redis = await FakeRedis.start();
    await using stream = await connect(redis, { concurrency: 1, timeoutMs: 20, onRequest: () => new Promise(() => undefined) });
    const problems = problemsOf(stream);
    await redis.serve(entries(3));
    while (stream.health().state !== "busy") await new Promise((resolve) => setTimeout(resolve, 5));
    assert.match(stream.health().reason, /^all 1 handlers are busy, each for 0 s or longer; 2 wait/);
    while (problems.length === 0) await new Promise((resolve) => setTimeout(resolve, 20)); // the next keep-alive tells
    assert.deepEqual(problems.map(({ kind }) => kind), ["busy"]);
  });

  test("busy, though the requesters gave up meanwhile", async () => {
    await using redis = await FakeRedis.start();
    await using stream = await connect(redis, { concurrency: 1, timeoutMs: 20, onRequest: () => new Promise(() => undefined) });
    const problems = problemsOf(stream);
    redis.says.set("XCLAIM", []); // what is asked for is gone
    redis.says.set("XPENDING", []);
    await redis.serve(entries(1));
    while (problems.every(({ kind }) => kind !== "busy")) await new Promise((resolve) => setTimeout(resolve, 20));
    while (stream.stats().waiting + stream.stats().outstanding > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(stream.health().state, "busy");
    assert.ok(stream.stats().oldestMs > 20);
  });

  test("and who is in another group", async () => {
    await using redis = await FakeRedis.start();
    await using stream = await connect(redis);
    redis.says.set("XINFO CONSUMERS s stock", ["c0ffee", "dead00", "51b110"].map((id) => ["name", `dispatcher_${id}_0`, "pending", 0, "idle", id === "51b110" ? 60_000 : 7]));
    redis.says.set("LRANGE s:stock:dead00", []);
    redis.says.set("LRANGE s:stock:", ["consumer_x_0"]);
    redis.says.set("GET s:stock:c0ffee", '{"spec":"1.0","implementation":"redisipc","version":"1.2","language":"python","features":[]}');
    const gem = { implementation: "", version: "", language: "" };
    assert.deepEqual(await stream.ping("stock"), [
      { instance: "c0ffee", idleMs: 7, implementation: "redisipc", version: "1.2", language: "python" },
      { instance: "51b110", idleMs: 60_000, ...gem },
    ]);
    redis.says.set("XINFO CONSUMERS s late", new Error("NOGROUP no such group"));
    assert.deepEqual(await stream.ping("late"), []);
    await assert.rejects(stream.waitForGroup("late", { timeoutMs: 50 }), { code: "timeout", diagnosis: "no_live_instance" });
    const waiting = stream.waitForGroup("late");
    redis.says.set("XINFO CONSUMERS s late", [["name", "consumer_c0ffee_0", "pending", 0, "idle", 1]]);
    redis.says.set("LRANGE s:late:", ["consumer_c0ffee_0"]);
    assert.deepEqual((await waiting).map(({ instance }) => instance), ["c0ffee"]);
    redis.says.set("XINFO CONSUMERS s late", new Error("NOPERM no permissions"));
    problemsOf(stream);
    await assert.rejects(stream.ping("late"), { code: "failed" });
    const controller = new AbortController();
    controller.abort();
    await assert.rejects(stream.waitForGroup("late", { signal: controller.signal }), { code: "cancelled" });
  });
});
