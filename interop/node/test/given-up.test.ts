import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { encodeContent } from "../src/content/content.js";
import { RequestRejected } from "../src/index.js";
import { valueOf } from "../src/outcome.js";
import { entryOf } from "../src/wire/entry.js";
import { Parts } from "./parts.js";

const NOW = 1_000_000;
const FIELDS = ["id", "9f86d081884c7d659a2fe", "instance_id", "51b110", "status", "pending", "content", "1", "source_group", "b", "destination_group", "web"].map((text) => Buffer.from(text));

/** What an instance makes of a request of this age, in ms, that is started for this time; `limit`: the age from which on it rejects. */
async function taken(age: number, starts: number, limit: number | null): Promise<{ parts: Parts; rejection: string | undefined }> {
  const parts = new Parts({ maxRequestAgeMs: limit });
  parts.shared.router.route(entryOf(`${NOW - age}-0`, FIELDS), starts, parts.now);
  const add = (await parts.settle()).find(([name]) => name === "XADD");
  return { parts, rejection: add === undefined ? undefined : `${String(add[add.indexOf("status") + 1])} ${String(add[add.indexOf("content") + 1])}` };
}

describe("a request that an endpoint rejects instead of starting it", () => {
  for (const { code, age, starts, limit, reason } of [
    { code: "too_old", age: 5001, starts: 1, limit: 5000, reason: "too_old: the request is older than 5000 ms" },
    { code: "given_up", age: 0, starts: 4, limit: null, reason: "given_up: the request was started 3 times, and no answer came" },
    // Whoever is told that it was given up knows that it was run (RIPC-GROUP-18).
    { code: "given_up", age: 5001, starts: 4, limit: 5000, reason: "given_up: the request was started 3 times, and no answer came" },
  ] as const) {
    test(`${code}: it is not run, reported, and read by its requester, ${age} ms old at start ${starts}`, async () => {
      const { parts, rejection } = await taken(age, starts, limit);
      assert.equal(rejection, `rejected ${encodeContent(reason)}`);
      assert.deepEqual(parts.started, []);
      assert.deepEqual(parts.problems.map(({ kind, message }) => [kind, message]), [[code, `rejected request "9f86d081884c7d659a2fe" from "b": ${reason}`]]);
      const outcome = { status: "rejected", content: Buffer.from(encodeContent(reason)) } as const;
      assert.throws(() => valueOf(outcome, { group: "web", requestId: "9f86", timeoutMs: 1, signal: undefined }), (error) => {
        assert.ok(error instanceof RequestRejected);
        assert.deepEqual([error.reasonCode, error.reason], [code, reason]);
        return true;
      });
    });
  }

  test("at its limits it is run: the third start, the age that is allowed, and any age without a limit", async () => {
    for (const [age, starts, limit] of [[0, 3, null], [5000, 1, 5000], [10_000, 1, null]] as const) {
      const { parts, rejection } = await taken(age, starts, limit);
      assert.equal(rejection, undefined);
      assert.deepEqual(parts.started, [`${NOW - age}-0`]);
    }
  });
});
