import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { type Problem, Reporter } from "../src/events.js";
import { Observing } from "../src/observing.js";

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

  const odd: Record<string, () => unknown> = {
    "a message that is a number": () => Object.assign(new Error(), { message: 5 }),
    "a name that is a symbol": () => Object.assign(new Error("x"), { name: Symbol("s") }),
    "a stack that is an object": () => Object.assign(new Error("x"), { stack: {} }),
    "a proxy whose traps throw": () =>
      new Proxy(new Error("x"), {
        get: () => {
          throw new Error("get");
        },
        getPrototypeOf: () => {
          throw new Error("getPrototypeOf");
        },
      }),
    "a message whose getter throws": () =>
      Object.defineProperty(new Error("x"), "message", {
        get: () => {
          throw new Error("getter");
        },
      }),
    undefined: () => undefined,
  };
  const ways: Record<string, (thrown: unknown) => unknown> = {
    throws: (thrown) => {
      throw thrown;
    },
    "rejects with": (thrown) =>
      Promise.resolve().then(() => {
        throw thrown;
      }),
    "has a then() that rejects with": (thrown) => ({
      then: (_: unknown, reject: (error: unknown) => void) => {
        reject(thrown);
      },
    }),
    "has a then that throws": (thrown) => ({
      get then() {
        throw thrown;
      },
    }),
  };
  for (const [what, make] of Object.entries(odd)) {
    test(`nothing but a warning comes of a listener or an observer that throws ${what}`, async () => {
      const warnings: Error[] = [];
      const warned = (warning: Error) => warnings.push(warning);
      process.on("warning", warned);
      try {
        for (const [way, fail] of Object.entries(ways)) {
          const fails = (): unknown => fail(make());
          const reporter = new Reporter();
          reporter.on("problem", fails);
          reporter.problem({ kind: "malformed", message: "an entry" });
          const reports: string[] = [];
          new Observing([fails], (message) => reports.push(message)).sent("9f86d081884c7d659a2fe", "stock");
          for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve));
          assert.deepEqual([way, warnings.length, reports.length], [way, 1, 1]);
          assert.match(warnings.pop()?.message ?? "", /^a listener of problem threw (an? |something |Error)/);
        }
      } finally {
        process.off("warning", warned);
      }
    });
  }

  test("a problem that nobody hears is a warning of the process", async () => {
    const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
    new Reporter().problem({ kind: "refused", message: "Redis refuses" });
    assert.equal((await warned).message, "Redis refuses");
  });
});
