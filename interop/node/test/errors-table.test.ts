import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { ConnectFailed, type Problem, Stream } from "../src/index.js";
import { breaksConnection, faultOf, isForAWhile } from "../src/wire/faults.js";
import { FakeRedis } from "./fake-redis.js";
import { until } from "./own-time.js";
import { KINDS, loadTable } from "./tables.js";

interface Row {
  readonly id: string;
  readonly class: string;
  readonly codes: readonly string[];
}

const rows = (loadTable("errors") as { tables: readonly [{ rows: readonly Row[] }] }).tables[0].rows;

/** Errors as servers say them, by row: the table has how they begin. */
const FORMS: Readonly<Record<string, readonly string[]>> = {
  outage: [
    "LOADING Redis is loading the dataset in memory", "READONLY You can't write against a read only replica.",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", "CLUSTERDOWN Hash slot not served",
    "TRYAGAIN Multiple keys request during rehashing of slot", "BUSY Redis is busy running a script.",
  ],
  moved: ["MOVED 3999 127.0.0.1:6381", "ASK 3999 127.0.0.1:6381"],
  "group-lost": [
    "NOGROUP No such key 's' or consumer group 'web'", "UNBLOCKED the stream key no longer exists", "ERR no such key",
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option",
  ],
  "no-memory": ["OOM command not allowed when used memory > 'maxmemory'."],
  "no-writes": ["MISCONF Redis is configured to save RDB snapshots", "NOREPLICAS Not enough good replicas to write."],
  permanent: [
    "NOPERM this user has no permissions to run the 'xadd' command", "NOAUTH Authentication required.",
    "WRONGPASS invalid username-password pair or user is disabled.", "WRONGTYPE Operation against a key holding the wrong kind of value",
  ],
  unknown: ["ERR syntax error", "FOO", "oom in small letters", "NOGROUPS are here"],
};

/** An endpoint, what happens to it, and what was told. */
async function endpoint(run: (redis: FakeRedis, stream: Stream, told: string[], problems: Problem[]) => Promise<void>): Promise<void> {
  await using redis = await FakeRedis.start();
  await using stream = await Stream.connect({ ...redis.place, group: "web", wakeups: false, announce: false, earlyEnd: false, closeTimeoutMs: 0, onRequest: () => 1 });
  const told: string[] = [];
  const problems: Problem[] = [];
  stream.on("problem", (problem) => problems.push(problem)).on("disconnected", () => told.push("disconnected")).on("reconnected", () => told.push("reconnected"));
  await redis.sees("XREADGROUP GROUP web dispatcher");
  await run(redis, stream, told, problems);
  redis.says.clear();
}

const READ = (stream: Stream) => `XREADGROUP GROUP web dispatcher_${stream.instance}_0 COUNT 128 BLOCK`;

/** It connects again, and looks at the group before it reads. */
async function connectsAgain(strike: (redis: FakeRedis) => void | Promise<void>): Promise<void> {
  await endpoint(async (redis, stream, told, problems) => {
    const { sent, opened } = redis;
    const from = sent.length;
    await strike(redis);
    await until(() => told.includes("reconnected"));
    await redis.sees(READ(stream), from);
    assert.deepEqual([redis.opened, told, problems], [opened + 2, ["disconnected", "reconnected"], []]);
    assert.ok(sent.indexOf("XINFO GROUPS s", from) < sent.findIndex((command, at) => at >= from && command.startsWith(READ(stream))));
  });
}

/** A send that Redis refuses for a while is written again on the same connection, and gets its answer. */
async function staysConnected(form: string): Promise<void> {
  await endpoint(async (redis, stream, told, problems) => {
    const { opened } = redis;
    redis.says.set("XADD", new Error(form));
    const send = stream.send("b", 1, { timeoutMs: 60_000 });
    const failed = assert.rejects(send, { code: "cancelled" });
    await until(() => redis.since(0, "XADD").length >= 2);
    redis.says.delete("XADD");
    const before = redis.since(0, "XADD").length;
    await until(() => redis.since(0, "XADD").length > before);
    assert.deepEqual([redis.opened, told], [opened, []]);
    // Once for each time without a write that Redis took, and not for each refusal.
    assert.ok(problems.length >= 1 && problems.length <= before && problems.every(({ kind }) => kind === "refused"));
    await stream.close();
    await failed;
  });
}

const DOES: Readonly<Record<string, readonly [about: string, run: (form: string) => Promise<void>]>> = {
  lost: ["connects again with a growing pause", () => connectsAgain((redis) => { redis.cut(); })],
  outage: ["as lost", (form) => connectsAgain((redis) => redis.serve(new Error(form)))],
  moved: ["without the feature cluster as lost", (form) => connectsAgain((redis) => redis.serve(new Error(form)))],
  "group-lost": [
    "makes the group again, on the same connection",
    (form) =>
      endpoint(async (redis, stream, told) => {
        const { sent, opened } = redis;
        const from = sent.length;
        redis.says.set("XINFO GROUPS", new Error("ERR no such key"));
        redis.says.set("XINFO STREAM", new Error("ERR no such key"));
        await redis.serve(new Error(form));
        await redis.sees("XGROUP CREATE s web 0 MKSTREAM", from);
        redis.says.clear();
        await redis.sees(READ(stream), from);
        assert.deepEqual([redis.opened, told], [opened, []]);
      }),
  ],
  "no-memory": ["keeps what waits to be written, and tries again", staysConnected],
  "no-writes": ["stays connected, and repeats what was refused", staysConnected],
  permanent: [
    "reports it and continues with what is permitted; during connect it fails",
    async (form) => {
      await endpoint(async (redis, stream, told, problems) => {
        const { opened } = redis;
        redis.says.set("XADD", new Error(form));
        for (let i = 0; i < 2; i++) await assert.rejects(stream.send("b", 1, { timeoutMs: 60_000 }), { code: "failed" });
        assert.deepEqual([redis.opened, told, problems.map(({ kind }) => kind)], [opened, [], ["refused"]]);
      });
      await using redis = await FakeRedis.start();
      redis.says.set("XGROUP CREATE", new Error(form));
      await assert.rejects(Stream.connect({ ...redis.place, group: "web", connectTimeoutMs: 60_000 }), ConnectFailed);
    },
  ],
  unknown: ["as lost", (form) => connectsAgain((redis) => redis.serve(new Error(form)))],
};

describe("each row of the table of errors", { concurrency: true, timeout: 120_000 }, () => {
  for (const { id, class: name, codes } of rows) {
    const forms = FORMS[id] ?? [];
    test(`${id}: its errors are of the class ${name}, whatever follows their beginning`, () => {
      const kind = KINDS[name];
      assert.ok(kind !== undefined, `nothing is said about the class ${name}`);
      for (const code of codes) {
        assert.ok(forms.some((form) => form.startsWith(code)), `no server says ${code}`);
        assert.equal(faultOf(code).kind, kind);
        assert.equal(faultOf(`${code} and more`).kind, kind);
        assert.equal(faultOf(`EXECABORT Transaction discarded because of: ${code} and more`).kind, kind);
      }
      for (const form of forms) {
        const fault = faultOf(form);
        assert.deepEqual([fault.kind, fault.message], [kind, form]);
      }
    });

    test(`${id}: ${DOES[id]?.[0] ?? "nothing is said about what it does"}`, async () => {
      assert.ok(DOES[id] !== undefined);
      for (const form of forms.length > 0 ? [...forms.slice(0, 1), ...forms.slice(-1)] : [""]) await DOES[id][1](form);
    });
  }

  test("what is refused for a while or for good does not break the connection, all else does", () => {
    const kinds = Object.values(KINDS);
    assert.deepEqual(kinds.filter((kind) => !breaksConnection(kind)).sort(), ["group-lost", "no-memory", "no-writes", "permanent"]);
    assert.deepEqual(kinds.filter(isForAWhile).sort(), ["no-memory", "no-writes"]);
  });
});
