import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { promisify } from "node:util";

import { FakeRedis } from "./fake-redis.js";

/** Connects, drops what it got, and collects garbage until the process has nothing left to do, or for 5 s. */
async function run(redis: FakeRedis, options: string): Promise<string> {
  const program = `
    import { Stream } from ${JSON.stringify(new URL("../src/index.js", import.meta.url).href)};
    const connect = async () => { await Stream.connect({ url: ${JSON.stringify(redis.url)}, stream: "s", group: "web", wakeups: false, ${options} }); };
    await connect();
    const until = performance.now() + 1000;
    const collect = () => { gc(); if (performance.now() < until) setTimeout(collect, 50).unref(); else process.exit(); };
    setTimeout(collect, 100);`;
  const { stderr } = await promisify(execFile)(process.execPath, ["--expose-gc", "--input-type=module", "--eval", program], { timeout: 120_000 });
  return stderr;
}

describe("an endpoint that was dropped without close()", { concurrency: true }, () => {
  test("is named in a warning, and closed, where it has no handler", async () => {
    await using redis = await FakeRedis.start();
    assert.match(await run(redis, ""), /\[dropped\] RedisIpcWarning: an endpoint of group web was dropped while it was connected/);
    assert.equal(redis.open, 0);
  });

  test("serves on, where it has one", async () => {
    await using redis = await FakeRedis.start();
    assert.equal(await run(redis, "onRequest: () => 1"), "");
  });
});
