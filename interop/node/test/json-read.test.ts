import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { decodeContent } from "../src/content/content.js";
import type { Json } from "../src/json.js";
import { readExactly, readJson } from "../src/content/json-read.js";
import { writeJson } from "../src/content/json-write.js";
import { survey } from "../src/content/survey.js";
import { UnsendableValue } from "../src/index.js";

/** A generator that gives the same numbers in every run. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % below;
  };
}

const PIECES = [
  "{", "}", "[", "]", ",", ":", '"', '"a"', '"b":', "\\", "\\n", "\\u00e9", "\\ud83d", " ", "\n", "\t", "-", "0", "1", "12", "9007199254740993", "1.5", "e", "E+", ".",
  "true", "false", "null", "nul", "é", "\u0001", '"__proto__":', "123456789012345678", "[1,2]", '{"a":1}', '"\\\\"', "-0",
];

/** Texts that are JSON, or nearly. */
function* texts(count: number): Generator<string> {
  const random = generator(7);
  const value = (depth: number): string => {
    const kind = random(depth > 4 ? 4 : 6);
    if (kind === 4) return `[${Array.from({ length: random(4) }, () => value(depth + 1)).join(random(2) === 0 ? "," : " , ")}]`;
    if (kind === 5) return `{${Array.from({ length: random(4) }, () => `"k${random(3)}":${value(depth + 1)}`).join(",")}}`;
    return ['"text \\" more"', "-123456789012345678901", "0.25e-3", "true"][kind] ?? "null";
  };
  for (let i = 0; i < count; i++) {
    const text = value(0);
    const at = random(text.length + 1);
    const piece = PIECES[random(PIECES.length)] ?? "";
    yield [text, text.slice(0, at) + piece + text.slice(at), text.slice(0, at) + text.slice(at + 1)][i % 3] ?? text;
  }
}

const asDoubles = (value: Json): unknown => JSON.parse(JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? Number(item) : item)));

describe("reading integers exactly", () => {
  test("accepts, refuses and reads as JSON.parse does, in 30,000 texts", () => {
    let accepted = 0;
    for (const text of texts(30_000)) {
      let expected: unknown;
      try {
        expected = JSON.parse(text);
      } catch {
        assert.throws(() => readExactly(text, 100), SyntaxError, text);
        continue;
      }
      accepted++;
      assert.deepEqual(asDoubles(readExactly(text, 100)), asDoubles(expected as Json), text);
    }
    assert.ok(accepted > 10_000 && accepted < 29_000, String(accepted));
  });

  test("only an integer that a double may not hold makes it read step by step", () => {
    const long = (text: string) => survey(Buffer.from(text), 100).hasLongInteger;
    for (const text of ["9007199254740991", "[-9007199254740991]", "0.12345678901234567890", "1234567890123456789.5", "1234567890123456789e2", '"1234567890123456789"', "[1700000000000000]"]) {
      assert.equal(long(text), false, text);
    }
    for (const text of ["9007199254740992", "[-9007199254740993]", '{"a":10000000000000000}', '["\\"",12345678901234567]']) assert.equal(long(text), true, text);
  });

  test("a long integer is found wherever it stands, and 15 digits are none", () => {
    for (let before = 0; before < 40; before++) {
      for (const [digits, found] of [["123456789012345", false], ["9123456789012345", true], ["12345678901234567", true]] as const) {
        const text = `[${"1,".repeat(before)}${digits},12,"${"x".repeat(before)}"]`;
        assert.equal(survey(Buffer.from(text), 100).hasLongInteger, found, text);
        assert.equal(survey(Buffer.from(`[${" ".repeat(before)}${digits}]`), 100).hasLongInteger, found, text);
      }
    }
  });

  test("strings are passed over, whatever is in them and however long they are", () => {
    for (const length of [0, 46, 47, 48, 49, 96, 97, 1000]) {
      for (const end of ["", "\\\\", '\\"', '\\\\\\"']) {
        const text = `["${"x".repeat(length)}${end}[[[12345678901234567890",[1]]`;
        assert.deepEqual(survey(Buffer.from(text), 2), { isDeeper: false, hasLongInteger: false }, text);
        assert.deepEqual(survey(Buffer.from(text), 1), { isDeeper: true, hasLongInteger: false }, text);
      }
    }
  });

  test("a text that is too deep is a string, with long integers and without", () => {
    for (const inside of ["1", "12345678901234567890"]) {
      const deep = (levels: number) => `${"[".repeat(levels)}${inside}${"]".repeat(levels)}`;
      assert.ok(Array.isArray(decodeContent(Buffer.from(deep(100)))));
      assert.equal(decodeContent(Buffer.from(deep(101))), deep(101));
      assert.ok(Array.isArray(readJson(deep(2000))));
    }
  });
});

describe("writing", () => {
  test("refuses half a surrogate pair wherever it stands, and says where", () => {
    for (const value of ["\ud800", ["a", "\udc00"], { "\ud800": 1 }, { a: [{ b: "x\ud800" }] }]) assert.throws(() => writeJson(value), UnsendableValue);
    assert.throws(() => writeJson({ a: [{ b: "x\ud800" }] }), /value\.a\[0\]\.b is a string/);
    assert.equal(writeJson(["\\ud800", "😀"]), '["\\\\ud800","😀"]');
  });

  test("names the place of what it refuses among bigints", () => {
    assert.throws(() => writeJson({ a: [1n, { b: NaN }] }), /value\.a\[1\]\.b is NaN/);
    assert.equal(writeJson({ a: [1n, -(2n ** 70n)], b: undefined, c: new Date(0) }), `{"a":[1,-1180591620717411303424],"c":"1970-01-01T00:00:00.000Z"}`);
  });
});
