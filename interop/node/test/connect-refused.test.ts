import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { ConnectFailed, Stream, type StreamOptions } from "../src/index.js";
import { FakeRedis } from "./fake-redis.js";
import { OwnTime } from "./own-time.js";

describe("a connect that Redis refuses", { concurrency: true, timeout: 120_000 }, () => {
  const at = (redis: FakeRedis, more: Partial<StreamOptions> = {}) =>
    Stream.connect({ url: redis.url.replace("//", "//:secret@"), stream: "s", group: "web", wakeups: false, closeTimeoutMs: 0, connectTimeoutMs: 60_000, ...more });

  test("is tried again while Redis has too many clients", async () => {
    await using redis = await FakeRedis.start();
    let refusals = 0;
    redis.says.set("AUTH", () => (refusals++ < 2 ? new Error("ERR max number of clients reached") : "OK"));
    await using stream = await at(redis);
    assert.ok(stream.connected && refusals > 2);
  });

  test("fails at once where only the user can help, and says how", async () => {
    await using redis = await FakeRedis.start();
    redis.says.set("AUTH", new Error("WRONGPASS invalid username-password pair or user is disabled."));
    using own = new OwnTime();
    const begun = own.now();
    await assert.rejects(at(redis, { connectTimeoutMs: 30_000 }), (error) => {
      assert.ok(error instanceof ConnectFailed && !error.message.includes("secret"));
      return error.message.endsWith("WRONGPASS invalid username-password pair or user is disabled; check the user and the password in url");
    });
    assert.ok(own.now() - begun < 10_000);
  });

  test("connects where its limit is longer than setTimeout takes", async () => {
    const early: Error[] = [];
    const warned = (warning: Error) => {
      if (warning.name === "TimeoutOverflowWarning") early.push(warning);
    };
    process.on("warning", warned);
    try {
      await using redis = await FakeRedis.start();
      await using stream = await at(redis, { connectTimeoutMs: 30 * 86_400_000, wakeups: true });
      await new Promise((resolve) => setImmediate(resolve));
      assert.ok(stream.connected);
      assert.deepEqual(early, [], "a timer that fires at once");
    } finally {
      process.off("warning", warned);
    }
  });

  test("acts as the user that the URL names, with or without a password", async () => {
    for (const [user, said] of [["shop@", "AUTH shop "], ["shop:@", "AUTH shop "], ["shop:pw@", "AUTH shop pw"], [":pw@", "AUTH pw"], ["", undefined]] as const) {
      await using redis = await FakeRedis.start();
      const url = redis.url.replace("//", `//${user}`);
      await using stream = await Stream.connect({ ...redis.place, url, group: "web", wakeups: false, closeTimeoutMs: 0 });
      assert.ok(stream.connected);
      assert.deepEqual(redis.sent.find((command) => command.startsWith("AUTH")), said);
    }
  });

  test("says that the other side may speak TLS, or not, where nothing comes", async () => {
    await using redis = await FakeRedis.start();
    redis.silent = true;
    await assert.rejects(at(redis, { connectTimeoutMs: 300 }), /did not answer within \d+ ms; look whether it speaks TLS \(rediss:\/\/\) or not \(redis:\/\/\)$/);
  });
});
