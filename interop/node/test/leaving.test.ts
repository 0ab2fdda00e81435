import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Stream } from "../src/index.js";

import { FakeRedis } from "./fake-redis.js";
import { OwnTime } from "./own-time.js";

describe("a close that comes while Redis executes a recovery", { timeout: 120_000 }, () => {
  for (const lost of ["connection", "group"]) {
    test(`leaves in order when that has ended: the ${lost} was lost`, async () => {
      await using redis = await FakeRedis.start();
      const stream = await Stream.connect({ ...redis.place, group: "web", wakeups: false, closeTimeoutMs: 0 });
      await redis.sees("XREADGROUP GROUP web dispatcher");
      const { length } = redis.sent;
      let closed: Promise<void> | undefined;
      redis.says.set("LPUSH", () => {
        closed ??= stream.close();
        return 1;
      });
      if (lost === "connection") redis.cut();
      else await redis.serve(new Error("UNBLOCKED the stream key no longer exists"));
      await redis.sees("LPUSH", length);
      await closed;
      const [last] = redis.since(length, "LPUSH", "LREM").slice(-1);
      assert.match(last ?? "", /^LREM/);
      assert.equal(redis.since(length, "SET", "DEL").at(-1)?.split(" ", 1)[0], "DEL");
    });
  }
});

describe("a close while Redis does not answer", { timeout: 120_000 }, () => {
  test("ends within a second after `closeTimeoutMs`", async () => {
    await using redis = await FakeRedis.start();
    const stream = await Stream.connect({ ...redis.place, group: "web", wakeups: false, closeTimeoutMs: 0 });
    redis.silent = true;
    using own = new OwnTime();
    const begun = own.now();
    await stream.close();
    const tookMs = own.now() - begun;
    assert.ok(tookMs < 1700, `it took ${tookMs} ms`);
  });
});
