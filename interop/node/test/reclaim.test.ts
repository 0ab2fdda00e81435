import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { startsOf } from "../src/core/starts.js";
import { Suspects } from "../src/core/suspects.js";
import { compareIds } from "../src/wire/entry-id.js";

const row = (idle: number, owner = "dispatcher_d4e5f6_0") => ({ entryId: "1-0", owner: Buffer.from(owner), idle, deliveries: 1 });

describe("reclaiming", () => {
  test("takes nothing at the first look, however long it was idle", () => {
    assert.equal(new Suspects().seen(row(10 ** 7), 0), false);
  });

  test("takes an entry at the second look, 3 s later", () => {
    const suspects = new Suspects();
    suspects.seen(row(60_000), 0);
    assert.equal(suspects.seen(row(62_900), 2900), false);
    assert.equal(suspects.seen(row(63_000), 3000), true);
  });

  test("waits until an entry was idle for 10 s", () => {
    const suspects = new Suspects();
    suspects.seen(row(7000), 0);
    assert.equal(suspects.seen(row(9999), 3000), false);
    assert.equal(suspects.seen(row(10_000), 3001), true);
  });

  test("begins anew with another owner, and after a sign of life", () => {
    const suspects = new Suspects();
    suspects.seen(row(60_000), 0);
    assert.equal(suspects.seen(row(60_000, "dispatcher_000000_0"), 3000), false);
    suspects.keepOnly(new Set());
    assert.equal(suspects.seen(row(60_000, "dispatcher_000000_0"), 6000), false);
  });

  test("looks again as soon as the first suspect is ripe", () => {
    const suspects = new Suspects();
    suspects.seen(row(8000), 0);
    const next = suspects.nextIn(0, 10_000);
    assert.ok(next >= 3000 && next < 3100);
    assert.equal(new Suspects().nextIn(0, 3000), 3000);
  });

  test("counts three deliveries as a start, whoever made them", () => {
    assert.deepEqual([0, 1, 3, 4, 6, 7, 9].map((deliveries) => startsOf({ deliveries })), [1, 1, 1, 2, 2, 3, 3]);
  });

  test("orders entry IDs as numbers", () => {
    assert.ok(compareIds("9-0", "10-0") < 0);
    assert.ok(compareIds("1-18446744073709551615", "1-18446744073709551614") > 0);
    assert.equal(compareIds("1-1", "1-1"), 0);
  });
});
