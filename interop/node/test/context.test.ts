import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, test } from "node:test";

import { Reporter } from "../src/events.js";
import { encodeContent, decodeContent } from "../src/content/content.js";
import { UnsendableValue } from "../src/index.js";

describe("the context of user code", () => {
  test("a listener sees the context in which it was registered, and can be removed", () => {
    const storage = new AsyncLocalStorage<string>();
    const reporter = new Reporter();
    const seen: (string | undefined)[] = [];
    const listener = () => seen.push(storage.getStore());
    storage.run("registered", () => reporter.on("reconnected", listener));
    storage.run("another", () => {
      reporter.tell("reconnected");
    });
    reporter.off("reconnected", listener);
    reporter.tell("reconnected");
    assert.deepEqual(seen, ["registered"]);
  });

  test("what a listener enters, no other call of it sees", () => {
    const storage = new AsyncLocalStorage<string>();
    const reporter = new Reporter();
    const seen: (string | undefined)[] = [];
    reporter.on("reconnected", () => {
      seen.push(storage.getStore());
      storage.enterWith("entered");
    });
    reporter.tell("reconnected");
    reporter.tell("reconnected");
    assert.deepEqual([...seen, storage.getStore()], [undefined, undefined, undefined]);
  });
});

describe("content at its edges", () => {
  test("toJSON that gives the object itself ends", () => {
    class Itself {
      toJSON() {
        return this;
      }
    }
    assert.throws(() => encodeContent(new Itself()), UnsendableValue);
    assert.throws(() => encodeContent({ a: { toJSON() { return this; } } }), UnsendableValue);
  });

  test("levels are counted outside of strings only", () => {
    const text = JSON.stringify(["[".repeat(200), '\\"[', "x"]);
    assert.deepEqual(decodeContent(Buffer.from(text)), JSON.parse(text));
    const deep = (levels: number) => `${"[".repeat(levels)}"]"${"]".repeat(levels)}`;
    assert.ok(Array.isArray(decodeContent(Buffer.from(deep(100)))));
    assert.equal(decodeContent(Buffer.from(deep(101))), deep(101));
  });

  test("half of an escaped pair makes a string of the text, a whole one does not", () => {
    for (const text of ['"\\ud83d"', '"\\udE00"', '{"a":"\\ud800","a":1}', '"\\ude00\\ud83d"', '"\\ud83d x\\ude00"']) {
      assert.equal(decodeContent(Buffer.from(text)), text);
    }
    assert.equal(decodeContent(Buffer.from('"\\uD83D\\uDE00"')), "\ud83d\ude00");
    assert.equal(decodeContent(Buffer.from('"\\\\ud800"')), "\\ud800");
  });

  test("integers beyond 2^53 - 1 are exact wherever they stand", () => {
    const text = '{"a":12345678901234567890,"__proto__":[-9007199254740993, 0.1234567890123456],"s":"1234567890123456789"}';
    const value = decodeContent(Buffer.from(text)) as Record<string, unknown>;
    assert.equal(value.a, 12345678901234567890n);
    assert.deepEqual(Object.getOwnPropertyDescriptor(value, "__proto__")?.value, [-9007199254740993n, 0.1234567890123456]);
  });
});
