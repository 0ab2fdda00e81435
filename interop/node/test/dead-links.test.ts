import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";

import { type Problem, Stream } from "../src/index.js";
import { ConnectPause } from "../src/redis/connect-pause.js";
import { Connection } from "../src/redis/connection.js";
import { openFirst } from "../src/redis/first-connection.js";
import { unacknowledged } from "../src/redis/send-queue.js";
import { SILENCE_MS, Watch } from "../src/redis/watch.js";

import { FakeRedis } from "./fake-redis.js";
import { OwnTime, until } from "./own-time.js";

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** Until the endpoint is up, or is not. */
const isUp = (stream: Stream, up: boolean) => until(() => stream.health().ok === up, () => stream.health().state, 10_000);

describe("a connection that died without a word", { concurrency: true, timeout: 120_000 }, () => {
  test("is noticed 3 s after a reply was due, and all is as before within 6 s", async () => {
    await using redis = await FakeRedis.start();
    await using stream = await Stream.connect({ ...redis.place, group: "web", wakeups: false, closeTimeoutMs: 0, onRequest: () => 1 });
    await redis.sees("XREADGROUP GROUP web dispatcher");
    const { opened } = redis;
    redis.forget();
    using own = new OwnTime();
    const [begun, ownBegun] = [performance.now(), own.now()];
    await isUp(stream, false);
    const [noticed, ownNoticed] = [performance.now() - begun, own.now() - ownBegun];
    await isUp(stream, true);
    assert.ok(noticed >= SILENCE_MS && ownNoticed < 6500, `noticed after ${noticed} ms, ${ownNoticed} of them its own`);
    assert.equal(redis.opened, opened + 2);
    await redis.serve([["s", [["5-0", ["id", "9f86d081884c7d659a2fe", "instance_id", "51b110", "status", "pending", "content", "1", "source_group", "b", "destination_group", "web"]]]]]);
    await redis.sees("XADD");
  });

  for (const [which, does] of [["blocked", "reads"], ["others", "writes"]] as const) {
    test(`is noticed within 6 s where it alone died and ${does}`, async () => {
      await using redis = await FakeRedis.start();
      await using stream = await Stream.connect({ ...redis.place, group: "web", wakeups: false, closeTimeoutMs: 0 });
      await redis.sees("XREADGROUP GROUP web dispatcher");
      const { length } = redis.sent;
      redis.forget(which);
      using own = new OwnTime();
      const begun = own.now();
      await isUp(stream, false);
      assert.ok(own.now() - begun < 6000 + 500, "and what a look may be late");
      await redis.sees("XREADGROUP GROUP web dispatcher", length);
    });
  }

  test("is suspected where it listens to wake-ups when the session comes back", async () => {
    await using redis = await FakeRedis.start();
    await using stream = await Stream.connect({ ...redis.place, group: "web", closeTimeoutMs: 0 });
    await redis.sees("XREADGROUP GROUP web dispatcher");
    const { length } = redis.sent;
    redis.cutAllBut("SUBSCRIBE");
    await redis.sees("PING", length);
    assert.ok(stream.health().ok);
  });

  test("is noticed where it listens to wake-ups, too, by PING", async () => {
    await using redis = await FakeRedis.start();
    const connection = await Connection.open({ url: redis.url, connectTimeoutMs: 60_000, signal: new AbortController().signal });
    const heard: string[] = [];
    await connection.subscribe(["c"], (channel) => heard.push(channel), 50);
    for (let i = 0; i < 3; i++) await redis.sees("PING", redis.sent.length);
    assert.ok(connection.isUsable);
    redis.forget();
    const begun = performance.now();
    await connection.lost;
    assert.ok(performance.now() - begun >= SILENCE_MS - 100);
  });

  test("comes back where CLIENT, PUBLISH and SUBSCRIBE are not permitted, and each is reported once", async () => {
    await using redis = await FakeRedis.start();
    for (const name of ["CLIENT", "PUBLISH", "SUBSCRIBE", "TIME", "INFO"]) redis.says.set(name, new Error(`NOPERM this user has no permissions to run the '${name}' command`));
    await using stream = await Stream.connect({ ...redis.place, group: "web", closeTimeoutMs: 0, onRequest: () => 1 });
    const problems: Problem[] = [];
    stream.on("problem", (problem) => problems.push(problem));
    await redis.sees("XREADGROUP GROUP web dispatcher");
    assert.match(await redis.sees("SET s:web:"), /"features":\[\]/);
    for (let i = 0; i < 3; i++) {
      const from = redis.sent.length;
      redis.cut();
      await redis.sees("XREADGROUP GROUP web dispatcher", from);
      await isUp(stream, true);
      assert.equal(redis.since(from, "SUBSCRIBE").length, 0);
    }
    // Each at most once: without wake-ups all works, only slower.
    const messages = problems.map(({ message }) => message);
    assert.deepEqual(messages, [...new Set(messages)]);
    await stream.close();
    await until(() => redis.open === 0);
  });

  test("is tried again often enough that Redis is used within 1 s after it is back", async () => {
    const pauses = new ConnectPause();
    assert.ok(Array.from({ length: 20 }, () => pauses.next()).every((ms) => ms <= 400));
    await using redis = await FakeRedis.start();
    await using stream = await Stream.connect({ ...redis.place, group: "web", wakeups: false, closeTimeoutMs: 0 });
    redis.refuses = true;
    redis.cut();
    await sleep(3000); // the pause has grown to its longest
    redis.refuses = false;
    using own = new OwnTime();
    const back = own.now();
    await isUp(stream, true);
    assert.ok(own.now() - back < 1000 + 500, "within 1 s, and what a look may be late");
  });
});

describe("an attempt to connect", { concurrency: true, timeout: 120_000 }, () => {
  test("that hangs holds up none: another one begins beside it, and the first one ends", async () => {
    await using redis = await FakeRedis.start();
    redis.silent = true;
    const signal = new AbortController().signal;
    const opening = openFirst({ url: redis.url, connectTimeoutMs: 60_000, signal }, [["TIME"]]);
    await redis.sees("TIME");
    redis.silent = false;
    const connection = await opening;
    assert.equal(redis.opened, 2);
    await until(() => redis.open === 1);
    assert.ok(connection.isUsable && connection.greeting.length === 1);
    connection.close();
  });

  test("that is refused ends all that began with it", async () => {
    await using redis = await FakeRedis.start();
    redis.says.set("TIME", new Error("NOAUTH Authentication required."));
    const options = { url: redis.url, connectTimeoutMs: 60_000, signal: new AbortController().signal };
    const connection = await openFirst(options, [["TIME"]]);
    assert.match(String(connection.greeting[0]), /NOAUTH/); // whoever asked decides
    connection.close();
    redis.says.set("TIME", new Error("LOADING Redis is loading the dataset in memory"));
    await assert.rejects(openFirst(options, [["TIME"]]), /LOADING/);
    await until(() => redis.open === 0);
  });

  test("opens one connection where it fails, and the pauses keep them few", async () => {
    await using redis = await FakeRedis.start();
    await using stream = await Stream.connect({ ...redis.place, group: "web", closeTimeoutMs: 0 });
    await redis.sees("XREADGROUP GROUP web dispatcher");
    redis.refuses = true;
    redis.cut();
    await isUp(stream, false);
    await sleep(1000); // the pause has grown to its longest
    const { refused } = redis;
    await sleep(3000);
    await until(() => redis.refused > refused);
    const attempts = redis.refused - refused;
    assert.ok(attempts >= 1 && attempts <= 16, `${attempts} attempts in 3 s`);
    redis.refuses = false;
  });
});

describe("a slow link", { concurrency: true, skip: existsSync("/proc/self/net/tcp") ? false : "the system does not tell what it still has to send" }, () => {
  /** A connection whose other side reads as a test lets it. */
  async function link(): Promise<{ near: Socket; far: Socket; [Symbol.dispose]: () => void }> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const near = connect((server.address() as AddressInfo).port, "127.0.0.1");
    const [[far]] = (await Promise.all([once(server, "connection"), once(near, "connect")])) as unknown as [[Socket]];
    far.pause();
    const end = () => {
      near.destroy();
      far.destroy();
      server.close();
    };
    return { near, far, [Symbol.dispose]: end };
  }

  test("shows what is not acknowledged yet", async () => {
    using both = await link();
    assert.equal(unacknowledged(both.near), 0);
    both.near.write(Buffer.alloc(32 << 20));
    while ((unacknowledged(both.near) ?? 0) === 0) await sleep(5);
    both.far.resume();
    while ((unacknowledged(both.near) ?? 1) > 0) await sleep(5);
    assert.equal(unacknowledged(both.near, ["/nowhere"]), undefined);
  });

  for (const { moves, lost } of [{ moves: true, lost: false }, { moves: false, lost: true }]) {
    test(`is ${lost ? "lost" : "not lost"} where what the system took ${moves ? "goes on to leave it" : "stays there"}`, async () => {
      let left = 1_000_000;
      let silent = false;
      const socket = { bytesRead: 0, _handle: { bytesWritten: 2_000_000, writeQueueSize: 0 } } as unknown as Socket;
      const watch = new Watch(() => socket, () => (silent = true), () => (moves ? (left -= 1000) : left));
      watch.until(performance.now());
      if (lost) await until(() => silent, () => "it is not lost", SILENCE_MS + 1500);
      else await sleep(SILENCE_MS + 1500);
      watch.stop();
      assert.equal(silent, lost);
    });
  }
});
