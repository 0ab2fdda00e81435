import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { decodeContent, encodeContent } from "../src/content/content.js";
import { type Json, UnsendableValue, readJson } from "../src/index.js";
import { bytesOf, canonical, casesFor, table, valueOf } from "./vectors.js";

const { cases, large = [] } = table("content");
const all = [...cases, ...large];

function same(actual: Json, expected: Json): void {
  assert.deepEqual(canonical(actual), canonical(expected));
}

describe("content: the vectors", () => {
  for (const one of casesFor("write", all)) {
    test(`writes ${one.name}`, () => {
      assert.equal(encodeContent(valueOf(one.value)), bytesOf(one.text).toString());
    });
  }
  for (const one of casesFor("write-json", all)) {
    test(`writes ${one.name} as a JSON text`, () => {
      same(readJson(encodeContent(valueOf(one.value))), valueOf(one.value));
    });
  }
  for (const one of casesFor("read", all)) {
    test(`reads ${one.name}`, () => {
      same(decodeContent(bytesOf(one.text)), valueOf(one.value));
    });
  }
  for (const one of casesFor("read-any", all)) {
    test(`reads ${one.name} as one of what is acceptable`, () => {
      const value = canonical(decodeContent(bytesOf(one.text)));
      const acceptable = (one.acceptable ?? []).map((item) => canonical(valueOf(item)));
      assert.ok(acceptable.some((item) => isSame(value, item)));
    });
  }
  for (const one of casesFor("read-string", all)) {
    test(`reads ${one.name} as a string`, () => {
      assert.equal(typeof decodeContent(bytesOf(one.text)), "string");
    });
  }
  for (const one of [...casesFor("refuse", all), ...casesFor("refuse-local", all)]) {
    test(`refuses ${one.name}`, () => {
      assert.throws(() => encodeContent(valueOf(one.value)), UnsendableValue);
    });
  }
});

describe("content: what only JavaScript has", () => {
  const unsendable: [string, unknown][] = [
    ["NaN", NaN],
    ["an infinity", [-Infinity]],
    ["undefined", undefined],
    ["undefined in a list", [undefined]],
    ["a hole in a list", new Array(1)],
    ["a function", { f: () => 1 }],
    ["a symbol", Symbol("s")],
    ["a Map", new Map([[1, 2]])],
    ["a Buffer's like", new Uint8Array(2)],
  ];
  for (const [name, value] of unsendable) {
    test(`refuses ${name}`, () => {
      assert.throws(() => encodeContent(value), UnsendableValue);
    });
  }

  test("refuses a cycle, and says where it got too deep", () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    assert.throws(() => encodeContent(cycle), /self is deeper than 100 levels/);
  });

  test("leaves out a property that is undefined, and heeds toJSON", () => {
    assert.equal(encodeContent({ a: undefined, at: new Date(0) }), '{"at":"1970-01-01T00:00:00.000Z"}');
  });

  test("writes a bigint as an integer and reads it back", () => {
    const value = 2n ** 70n;
    assert.deepEqual(decodeContent(Buffer.from(encodeContent([value, 1]))), [value, 1]);
  });

  test("reads a key __proto__ as a key", () => {
    const value = decodeContent(Buffer.from('{"__proto__":{"a":12345678901234567890}}')) as Record<string, Json>;
    assert.deepEqual(Object.keys(value), ["__proto__"]);
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
  });

  test("reads an integer of absurd length quickly, as a double", () => {
    assert.equal(decodeContent(Buffer.from("9".repeat(1_000_000))), Infinity);
  });
});

function isSame(a: Json, b: Json): boolean {
  try {
    assert.deepEqual(a, b);
    return true;
  } catch {
    return false;
  }
}

describe("content: what user code throws while a value is written", () => {
  const secret = new TypeError("secret");
  const values: readonly (readonly [name: string, value: unknown])[] = [
    ["a getter", { get a() { throw secret; } }],
    ["toJSON()", { toJSON() { throw secret; } }],
    ["a trap of a proxy", [new Proxy({}, { ownKeys() { throw secret; } })]],
  ];
  for (const [name, value] of values) {
    test(`${name}: it is the cause, and its text is in no message`, () => {
      assert.throws(() => encodeContent(value), (error) => {
        assert.ok(error instanceof UnsendableValue && error.cause === secret);
        return error.message === "value cannot be written: a getter, a toJSON() or a proxy in it threw TypeError";
      });
    });
  }
});
