import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Looks } from "../src/core/looks.js";

describe("the looks after lost reads", () => {
  test("come for each read, though another one is lost later", () => {
    const looks = new Looks();
    for (const at of [3000, 4000, 3500]) looks.plan(at);
    const seen: number[] = [];
    for (let at = looks.first; at !== undefined; at = looks.first) {
      seen.push(at);
      looks.done(at);
    }
    assert.deepEqual(seen, [3000, 3500, 4000]);
  });

  test("are one for reads that end together, so they are few", () => {
    const looks = new Looks();
    for (let at = 3000; at < 6000; at += 20) looks.plan(at);
    let count = 0;
    for (let at = looks.first; at !== undefined; at = looks.first, count++) looks.done(at);
    assert.ok(count > 8 && count <= 12, `${count} looks`);
  });

  test("stay where one began before its moment", () => {
    const looks = new Looks();
    looks.plan(3000);
    looks.done(2999);
    assert.equal(looks.first, 3000);
    looks.done(3000);
    assert.equal(looks.first, undefined);
  });
});
