import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";

import { Endpoint } from "../src/core/endpoint.js";
import { CONNECTION, type ConnectionEvent, type ConnectionState } from "../src/lifecycle.js";
import type { EndpointOptions } from "../src/options.js";
import { Session } from "../src/redis/session.js";
import { FakeRedis } from "./fake-redis.js";
import { pass, until } from "./own-time.js";
import { type Transition, machine } from "./tables.js";

const JOIN = [
  "XGROUP CREATE s web $ MKSTREAM",
  "XGROUP CREATECONSUMER s web dispatcher_ID_0",
  "XGROUP CREATECONSUMER s web consumer_ID_0",
  "MULTI",
  "LREM s:web:ID:consumers 0 consumer_ID_0",
  "LPUSH s:web:ID:consumers consumer_ID_0",
  "EXPIRE s:web:ID:consumers 100",
  "EXEC",
];
const LEAVE = [
  "LREM s:web:ID:consumers 0 consumer_ID_0",
  ...["consumer_ID_0", "dispatcher_ID_0"].flatMap((name) => ["MULTI", `XGROUP DELCONSUMER s web ${name}`, "EXEC"]),
];
/** An answer. */
const ANSWER = ["MULTI", "EXEC"];
const READ = "XREADGROUP GROUP web dispatcher_ID_0 COUNT 128 BLOCK 2500 STREAMS s >";
/** What makes, keeps and ends the membership; looks and the work of tasks are left out. */
const MEMBERSHIP = new Set(["XGROUP", "MULTI", "LREM", "LPUSH", "EXEC"]);

/** An endpoint over a server that says what the row needs. */
class Life {
  readonly endpoint: Endpoint;
  connecting: Promise<unknown> = Promise.resolve();
  private end: (() => void) | undefined;
  private at = 0;

  constructor(readonly redis: FakeRedis, options: Partial<EndpointOptions> = {}) {
    const serve = () => new Promise<undefined>((resolve) => (this.end = () => { resolve(undefined); }));
    const all = { ...redis.place, wakeups: false, announce: false, closeTimeoutMs: 200, ...options };
    this.endpoint = new Endpoint(all, "web", serve);
    this.endpoint.reporter.on("problem", () => undefined);
  }

  get state(): ConnectionState {
    return this.endpoint.lifecycle.state;
  }

  connect(): void {
    this.connecting = this.endpoint.connect().catch((error: unknown) => error);
  }

  async reaches(...states: ConnectionState[]): Promise<void> {
    await until(() => states.includes(this.state), () => `it is ${this.state}, and not ${states.join(" or ")}`);
  }

  /** Its commands since the last time, of those that a row is about, with ID for the instance. */
  commands(): string[] {
    const some = this.redis.sent.slice(this.at).map((command) => command.replaceAll(this.endpoint.instance, "ID"));
    this.at = this.redis.sent.length;
    return some.filter((command) => MEMBERSHIP.has(command.split(" ", 1)[0] ?? "") || command === READ || (command.startsWith("EXPIRE") && some.includes("EXEC")));
  }

  /** A request whose handler does not end. */
  async busy(): Promise<void> {
    const fields = ["id", "9f86d081884c7d659a2fe", "instance_id", "51b110", "status", "pending", "content", "1", "source_group", "b", "destination_group", "web"];
    await this.redis.serve([["s", [["5-0", fields]]]]);
    await until(() => this.end !== undefined);
  }

  handlerEnds(): void {
    this.end?.();
  }

  async done(): Promise<void> {
    this.handlerEnds();
    await this.endpoint.close();
    await this.connecting;
  }
}

/** How an endpoint comes into a state. */
const STATES: Readonly<Record<string, (life: Life, event?: string) => Promise<void>>> = {
  new: () => Promise.resolve(),
  joining: (life, event) => {
    if (event === "joined" || event === "disconnect midway") life.redis.says.set("EXEC", undefined);
    else life.redis.refuses = true;
    life.connect();
    return Promise.resolve();
  },
  up: async (life) => {
    life.connect();
    await life.connecting;
    await life.redis.sees("XREADGROUP GROUP web dispatcher");
    life.commands();
  },
  down: async (life, event) => {
    await STATES.up?.(life);
    if (event === "disconnect midway") life.redis.says.set("EXEC", undefined);
    else life.redis.refuses = true;
    life.redis.cut();
    await life.reaches("down");
  },
  closing: async (life) => {
    await STATES.up?.(life);
    const read = life.redis.sent.length;
    await life.busy();
    await life.redis.sees("XREADGROUP GROUP web dispatcher", read);
    void life.endpoint.close();
    life.commands();
  },
};

/** The event, and the commands that it is followed by. */
const ROWS: Readonly<Record<string, readonly [event: (life: Life) => unknown, commands: readonly string[]]>> = {
  "new-connect": [(life) => { life.connect(); }, []],
  "joining-failed": [async (life) => { const { opened } = life.redis; while (life.redis.opened === opened && life.endpoint.lifecycle.reason === "") await new Promise(setImmediate); }, []],
  "joining-joined": [
    async (life) => {
      await life.redis.sees("EXEC");
      assert.equal(life.state, "joining"); // not before the registration is written (RIPC-LIFE-3)
      life.redis.says.delete("EXEC");
      life.redis.cut();
      await life.connecting;
      await life.redis.sees("XREADGROUP GROUP web dispatcher");
      life.redis.sent.splice(0, life.redis.sent.lastIndexOf("XGROUP CREATE s web $ MKSTREAM"));
    },
    [...JOIN, READ],
  ],
  "up-lost": [async (life) => { life.redis.refuses = true; life.redis.cut(); await life.reaches("down"); }, []],
  "up-group-lost": [
    async (life) => {
      const { opened, sent } = life.redis;
      const from = sent.length;
      life.redis.says.set("XINFO GROUPS", new Error("ERR no such key"));
      life.redis.says.set("XINFO STREAM", new Error("ERR no such key"));
      life.redis.says.set("XGROUP CREATE s web 0", undefined);
      await life.redis.serve(new Error("NOGROUP No such key"));
      // Together with the group, so that no send that reads its own list comes before its consumers (RIPC-NAME-7).
      await life.redis.sees("XGROUP CREATECONSUMER s web consumer", from);
      assert.equal(life.redis.opened, opened, "on the same connection");
    },
    ["XGROUP CREATE s web 0 MKSTREAM", ...JOIN.slice(1, 3)],
  ],
  "down-failed": [async (life) => { life.endpoint.lifecycle.reason = ""; while (life.endpoint.lifecycle.reason === "") await new Promise(setImmediate); }, []],
  "down-recovered": [
    async (life) => {
      life.commands();
      life.redis.refuses = false;
      await life.redis.sees("XREADGROUP GROUP web dispatcher", life.redis.sent.length);
    },
    [...JOIN.slice(1), READ],
  ],
  "up-disconnect": [(life) => { life.redis.says.set("LREM", undefined); void life.endpoint.close(); }, []],
  "new-disconnect": [(life) => life.endpoint.close(), []],
  "joining-disconnect": [(life) => life.endpoint.close(), []],
  "down-disconnect": [(life) => life.endpoint.close(), []],
  "joining-disconnect-midway": [
    async (life) => {
      await life.redis.sees("EXEC");
      void life.endpoint.close();
    },
    JOIN,
  ],
  "down-disconnect-midway": [
    async (life) => {
      life.commands();
      await life.redis.sees("EXEC", life.redis.sent.length);
      void life.endpoint.close();
    },
    JOIN.slice(1),
  ],
  "closing-left": [(life) => { life.handlerEnds(); return life.endpoint.close(); }, LEAVE],
  "closing-limit": [(life) => life.endpoint.close(), [...ANSWER, ...LEAVE]],
  "closing-lost": [async (life) => { life.redis.refuses = true; life.redis.cut(); await life.endpoint.close(); }, []],
};

describe("each row of the connection's states", { concurrency: true, timeout: 120_000 }, () => {
  const rows: readonly Transition[] = machine("connection");
  for (const { id, from, event, to } of rows) {
    const [happens, expected = []] = ROWS[id] ?? [];
    test(`${id}: ${expected.join(", ")}`, async () => {
      assert.equal(CONNECTION[from as ConnectionState][event as ConnectionEvent], to);
      assert.ok(happens !== undefined, "nothing is said about it");
      await using redis = await FakeRedis.start();
      const life = new Life(redis);
      try {
        await STATES[from]?.(life, event);
        assert.equal(life.state, from);
        await happens(life);
        assert.equal(life.state, to);
        assert.deepEqual(life.commands(), expected);
        if (to !== "closed") return;
        // It neither reads nor writes. An attempt that was given up may still reach the server.
        await pass(50);
        const { opened, sent } = redis;
        const before = sent.length;
        redis.refuses = false;
        await pass(150);
        assert.deepEqual([redis.open, redis.opened, sent.length], [0, opened, before]);
      } finally {
        redis.says.clear();
        redis.refuses = true;
        redis.cut();
        await life.done();
      }
    });
  }

  test("there are no rows that the table lacks", () => {
    const ours = Object.entries(CONNECTION).flatMap(([from, events]) => Object.keys(events).map((event) => `${from}: ${event}`));
    assert.deepEqual(ours.sort(), rows.map(({ from, event }) => `${from}: ${event}`).sort());
  });
});

describe("connect", () => {
  test("is not done before the first read is sent (RIPC-LIFE-3)", async () => {
    await using redis = await FakeRedis.start();
    const read = mock.method(Session.prototype, "read");
    const life = new Life(redis);
    await life.endpoint.connect();
    assert.equal(read.mock.callCount(), 1);
    read.mock.restore();
    redis.cut();
    await life.done();
  });

  test("ends when the endpoint is closed meanwhile", async () => {
    await using redis = await FakeRedis.start();
    redis.refuses = true;
    const life = new Life(redis, { connectTimeoutMs: 60_000 });
    life.connect();
    await life.endpoint.close();
    assert.match(String(await life.connecting), /closed/);
  });
});
