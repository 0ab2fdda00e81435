import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { type Problem, Reporter } from "../src/events.js";

describe("events", () => {
  const failing: Record<string, () => unknown> = {
    throws: () => {
      throw new TypeError("of the listener");
    },
    rejects: () => Promise.reject(new TypeError("of the listener")),
  };
  for (const [way, fails] of Object.entries(failing)) {
    test(`a listener that ${way} becomes a warning of the process, and the next one hears the event`, async () => {
      const reporter = new Reporter();
      const heard: Problem[] = [];
      reporter.on("problem", fails);
      reporter.on("problem", (problem) => heard.push(problem));
      const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
      reporter.problem({ kind: "malformed", message: "an entry" });
      assert.equal(heard.length, 1);
      const { message, name } = await warned;
      assert.deepEqual([name, message], ["RedisIpcWarning", "a listener of problem threw TypeError: of the listener"]);
    });
  }

  test("a problem that nobody hears is a warning of the process", async () => {
    const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
    new Reporter().problem({ kind: "refused", message: "Redis refuses" });
    assert.equal((await warned).message, "Redis refuses");
  });
});
