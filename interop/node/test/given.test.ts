import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Caller, Channel, InvalidArgument, Stream } from "../src/index.js";
import { FakeRedis } from "./fake-redis.js";

const place = { url: "redis://127.0.0.1:1", stream: "s", connectTimeoutMs: 1 };
/** As a caller without types sees them. */
type Untyped = Record<string, (...given: unknown[]) => unknown>;
const streams = Stream as unknown as Untyped;
const channels = Channel as unknown as Untyped;

async function message(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    assert.ok(error instanceof InvalidArgument, String(error));
    return error.message;
  }
  return assert.fail("it was taken");
}

describe("a caller without types is told what was expected and what came, before anything is written", () => {
  const rows: readonly (readonly [call: () => unknown, says: string])[] = [
    [() => streams.connect?.(), "the options of a Stream must be an object, not undefined"],
    [() => streams.connect?.({ ...place, group: "g", timeout: 3 }), "there is no option timeout in the options of a Stream: did you mean timeoutMs?"],
    [() => streams.connect?.({ ...place, group: "g", concurency: 3 }), "there is no option concurency in the options of a Stream: did you mean concurrency?"],
    [() => streams.connect?.({ ...place, group: "g", onRequest: 7 }), "onRequest must be a function, not 7"],
    [() => streams.connect?.({ ...place, group: "g", timeoutMs: "5" }), 'timeoutMs must be a finite number of milliseconds above 0, not "5"'],
    [() => streams.connect?.({ ...place, group: "g", concurrency: "1" }), 'concurrency must be a whole number from 1 on, not "1"'],
    [() => streams.connect?.({ ...place, group: "g", closeTimeoutMs: [1] }), "closeTimeoutMs must be a number of milliseconds from 0 on, not a list"],
    [() => channels.connect?.({ ...place, channel: "c", group: "g" }), "there is no option group in the options of a Channel: it takes url, "],
    [() => channels.connect?.({ ...place, channel: "c", events: { add: () => 1 } }), "the event add must be an object, not a function"],
    [() => channels.connect?.({ ...place, channel: "c", events: { add: { params: ["a"] } } }), "run of the event add must be a function, not undefined"],
    [() => channels.connect?.({ ...place, channel: "c", events: { add: { params: "a", run: () => 1 } } }), 'params of the event add must be a list of names, not "a"'],
    [() => streams.connect?.({ ...place, group: "g", url: 3 }), "url must be a string, such as redis://localhost:6379/0, not 3"],
    [() => streams.connect?.({ ...place, group: "g", url: new URL("redis://h") }), "url must be a string, such as redis://localhost:6379/0, not an object"],
    [() => streams.connect?.({ ...place, group: "g", url: "http://:secret@h" }), "url must begin with redis:// or rediss://, not http://; write redis://localhost:6379/0"],
    [() => streams.connect?.({ ...place, group: "g", url: "localhost:6379" }), "url must begin with redis:// or rediss://; write redis://localhost:6379/0"],
    [() => streams.connect?.({ ...place, group: "g", url: "redis://h?db=1" }), "url must have neither ? nor #: the database stands behind the host"],
    [() => streams.connect?.({ ...place, group: "g", url: "redis://h/zero" }), 'the database in url must be a number, not "zero"'],
    [() => streams.connect?.({ ...place, group: "g", url: "redis://h:99999" }), "the port in url must be a number from 1 to 65535"],
    [() => streams.connect?.({ ...place, group: "g", url: "redis://u:p@h:99999/0" }), "the port in url must be a number from 1 to 65535"],
    [() => streams.connect?.({ ...place, group: "g", url: "redis://h:0" }), "the port in url must be a number from 1 to 65535"],
    [() => streams.connect?.({ ...place, group: "g", url: "redis://user:99999/x@h" }), "url is not valid: escape / ? # and @"],
    [() => streams.connect?.({ ...place, group: "g", observers: () => 1 }), "observers must be a list of functions, such as [note], not a function"],
    [() => streams.connect?.({ ...place, group: "g", observers: [undefined] }), "observers must be functions, but undefined is in the list"],
    [() => channels.connect?.({ ...place, channel: "c", events: 3 }), "events must be an object: events by name, not 3"],
    [() => streams.connect?.({ ...place, group: "g", tls: true }), "tls must be an object of TLS options, not true; for TLS without options write rediss:// in url"],
    [() => streams.connect?.({ ...place, group: "g", wakeups: "no" }), 'wakeups must be true or false, not "no"'],
    [() => streams.connect?.({ ...place, group: "g", announce: 1 }), "announce must be true or false, not 1"],
    [() => streams.connect?.({ ...place, group: "g", earlyEnd: "false" }), 'earlyEnd must be true or false, not "false"'],
    [() => channels.connect?.({ ...place, channel: "c", events: [] }), "events must be an object: events by name, not a list"],
    [() => channels.connect?.({ ...place, channel: "c", events: null }), "events must be an object: events by name, not null"],
    [() => channels.connect?.({ ...place, channel: "c", events: { add: { params: ["a", "a"], run: () => 1 } } }), 'params of the event add has "a" twice: each name stands once'],
    [() => new (Caller as unknown as new (options: unknown) => unknown)({ url: place.url, stream: "s", earlyEnd: 1 }), "earlyEnd must be true or false, not 1"],
    [() => new (Caller as unknown as new (options: unknown) => unknown)({ url: place.url, stream: "s", group: "g" }), "there is no option group in the options of a Caller: it takes url, "],
  ];
  for (const [call, says] of rows) {
    test(says, async () => {
      assert.ok((await message(call)).startsWith(says), await message(call));
    });
  }

  test("so are those of an endpoint that is connected", async () => {
    await using redis = await FakeRedis.start();
    await using web = await Stream.connect({ ...redis.place, group: "web", wakeups: false, closeTimeoutMs: 0 });
    const untyped = web as unknown as Untyped;
    const calls: readonly (readonly [call: () => unknown, says: string])[] = [
      [() => untyped.send?.("g", 1, 500), "the options of a send must be an object, not 500"],
      [() => untyped.send?.("g", 1, { timeoutMs: 10n }), "timeoutMs must be a finite number of milliseconds above 0, not 10n"],
      [() => untyped.send?.("g", 1, null), "the options of a send must be an object, not null"],
      [() => untyped.send?.("g", 1, { timeout: 1 }), "there is no option timeout in the options of a send: did you mean timeoutMs?"],
      [() => untyped.send?.("g", 1, { signal: "x" }), 'signal must be an AbortSignal, not "x"'],
      [() => untyped.ping?.("g", { timeout: 1 }), "there is no option timeout in the options of a ping: did you mean timeoutMs?"],
      [() => untyped.waitForGroup?.("g", 3), "the options of a wait must be an object, not 3"],
      [() => untyped.on?.("problem", 7), "the listener must be a function, not 7"],
      [() => untyped.off?.("problem"), "the listener must be a function, not undefined"],
      [() => untyped.off?.("request", () => 1), "there is no event request: the events are problem, disconnected, reconnected, state"],
      [() => untyped.on?.("request", () => 1), "there is no event request: the events are problem, disconnected, reconnected, state"],
    ];
    for (const [call, says] of calls) assert.equal(await message(call), says);
    assert.deepEqual(redis.since(0, "XADD"), []);
  });
});
