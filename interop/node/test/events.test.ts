import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Reporter } from "../src/events.js";

describe("events", () => {
  test("what a listener throws is an uncaught exception, and not the reader's", async () => {
    const reporter = new Reporter();
    reporter.on("problem", () => {
      throw new Error("of the listener");
    });
    const uncaught = new Promise<Error>((resolve) => {
      process.setUncaughtExceptionCaptureCallback(resolve);
    });
    reporter.problem({ kind: "malformed", message: "an entry" });
    assert.equal((await uncaught).message, "of the listener");
    process.setUncaughtExceptionCaptureCallback(null);
  });

  test("a problem that nobody hears is a warning of the process", async () => {
    const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
    new Reporter().problem({ kind: "refused", message: "Redis refuses" });
    assert.equal((await warned).message, "Redis refuses");
  });
});
