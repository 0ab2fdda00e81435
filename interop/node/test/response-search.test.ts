import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { MOST_REQUESTS_KNOWN, ResponseSearch } from "../src/core/response-search.js";
import type { PendingRow } from "../src/wire/replies.js";
import { until } from "./own-time.js";
import { Parts } from "./parts.js";

const GIVEN_BACK = 315_360_000_001;
const OWNER = Buffer.from("dispatcher_51b110_0");

const body = (status: string) =>
  ["id", "9f86d081884c7d659a2fe", "instance_id", "51b110", "status", status, "content", "1", "source_group", "peers", "destination_group", "web"].map((text) => Buffer.from(text));

/** Entries 1-0, 2-0 ... were given back. One of them is a response, the others are requests; this instance has no handler. */
function given(count: number, response: number): { parts: Parts; rows: PendingRow[]; bodies: () => number } {
  const parts = new Parts({ wakeups: false }, null);
  const ids = Array.from({ length: count }, (_, i) => `${i + 1}-0`);
  const listed = ids.map((id) => [Buffer.from(id), OWNER, GIVEN_BACK, 1]);
  parts.replies.set("XPENDING s web IDLE 157680000000 -", listed.slice(0, 8));
  parts.replies.set("XPENDING s web IDLE 7000 -", listed.slice(0, 128));
  parts.replies.set("XPENDING s web IDLE 7000 (128-0", listed.slice(128));
  ids.forEach((id, i) => parts.replies.set(`XRANGE s ${id}`, [[Buffer.from(id), body(i + 1 === response ? "fulfilled" : "pending")]]));
  parts.replies.set("XCLAIM", [Buffer.from(`${response}-0`)]);
  return {
    parts,
    rows: ids.map((entryId) => ({ entryId, owner: OWNER, idle: GIVEN_BACK, deliveries: 1 })),
    bodies: () => parts.sent.filter(([name]) => name === "XRANGE").length,
  };
}

describe("a member without room (RIPC-GROUP-25)", () => {
  for (const [count, response] of [[31, 31], [31, 16], [151, 151], [151, 91]] as const) {
    test(`takes response ${response} of ${count} entries that were given back, and no request`, async () => {
      const { parts } = given(count, response);
      const claims = () => parts.sent.filter(([name]) => name === "XCLAIM");
      parts.shared.reclaimer.start(false);
      await until(() => claims().length > 0, () => "nobody claimed anything");
      await parts.settle();
      await parts.shared.reclaimer.stop();
      parts.shared.handOver.clear();
      assert.ok(claims().every((claim) => claim.includes(`${response}-0`)));
    });
  }

  test("reads the bodies of requests once, but for a few", async () => {
    const { parts, rows, bodies } = given(151, 151);
    const taken: string[] = [];
    const search = new ResponseSearch(parts.shared, (some) => [...some], ({ entryId }) => Promise.resolve(void taken.push(entryId)));
    search.start();
    search.isRequest("1-0"); // this instance gave it back
    search.among(rows);
    await until(() => taken.length > 0, () => "the response was not found");
    const read = bodies();
    assert.ok(read >= 150 && read <= 151);
    search.among(rows.slice(0, 150));
    await sleep(20);
    assert.ok(bodies() - read < 40);
    await search.stop();
    assert.deepEqual(taken, ["151-0"]);
  });

  test("forgets requests that are not listed any more", async () => {
    const { parts, rows, bodies } = given(31, 31);
    const search = new ResponseSearch(parts.shared, (some) => [...some], () => Promise.resolve());
    search.start();
    search.among(rows);
    await until(() => bodies() >= 31, () => "not all bodies were read");
    search.among([]);
    search.among(rows);
    await until(() => bodies() >= 62, () => "not all bodies were read again");
    await search.stop();
  });

  test("reads a body that may break the connection alone (RIPC-RECOV-28)", async () => {
    const { parts, rows } = given(31, 16);
    const batches: number[] = [];
    const { session } = parts.shared;
    assert.ok(session !== undefined);
    const batch = session.batch.bind(session);
    session.batch = (commands) => {
      if (commands.some((command) => command.includes("16-0"))) batches.push(commands.length);
      return batch(commands);
    };
    parts.shared.breakers.suspect("16-0");
    const taken: string[] = [];
    const search = new ResponseSearch(parts.shared, (some) => [...some], ({ entryId }) => Promise.resolve(void taken.push(entryId)));
    search.start();
    search.among(rows);
    await until(() => taken.length > 0, () => "the response was not found");
    await search.stop();
    assert.deepEqual(batches, [1]);
  });

  test("remembers a bounded number of requests", () => {
    const { parts } = given(1, 1);
    const search = new ResponseSearch(parts.shared, (some) => [...some], () => Promise.resolve());
    for (let i = 0; i < MOST_REQUESTS_KNOWN + 10; i++) search.isRequest(`${i}-0`);
    assert.equal(search.known, MOST_REQUESTS_KNOWN);
  });
});
