import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Pause } from "../src/core/refusal-pauses.js";

describe("a pause after a refusal", () => {
  test("grows from the first to the longest", () => {
    const pause = new Pause(200, 1000);
    const lengths: number[] = [];
    for (let now = 0; lengths.length < 5; now = pause.until) {
      pause.refused(now);
      lengths.push(pause.until - now);
    }
    assert.deepEqual(lengths, [200, 400, 800, 1000, 1000]);
  });

  test("counts several refusals of one attempt once", () => {
    const pause = new Pause(200, 1000);
    pause.refused(0);
    pause.refused(10);
    assert.equal(pause.until, 200);
  });

  test("is not shorter than the first when Redis takes another command meanwhile, and begins anew", () => {
    const pause = new Pause(200, 1000);
    for (const now of [0, 200, 600]) pause.refused(now);
    pause.over();
    assert.equal(pause.until, 800);
    pause.refused(800);
    assert.equal(pause.until, 1000);
  });
});
