import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { readChannelRequest } from "../src/channel-request.js";
import { decodeContent } from "../src/content/content.js";
import { Rejection } from "../src/index.js";
import { bytesOf, casesFor, table, valueOf } from "./vectors.js";

const { cases, events = {} } = table("channel");
const has = (event: string): boolean => Object.hasOwn(events, event);

function reasonFor(text: Buffer): unknown {
  try {
    readChannelRequest(decodeContent(text), has);
  } catch (error) {
    assert.ok(error instanceof Rejection);
    return error.reason;
  }
  return assert.fail("it was not rejected");
}

describe("channel: the vectors", () => {
  for (const one of casesFor("run", cases)) {
    test(`runs ${one.name}`, () => {
      const { event, params } = readChannelRequest(decodeContent(bytesOf(one.text)), has);
      assert.equal(event, one.event);
      const declared = events[event] ?? [];
      const given = Object.fromEntries(Object.entries(params).filter(([name]) => declared.includes(name)));
      assert.deepEqual(given, valueOf(one.params));
    });
  }
  for (const one of casesFor("reject", cases)) {
    test(`rejects ${one.name} with the words of the protocol`, () => {
      assert.equal(reasonFor(bytesOf(one.text)), one.reason);
    });
  }
  for (const one of casesFor("reject-prefix", cases)) {
    test(`rejects ${one.name} with their beginning`, () => {
      assert.ok(String(reasonFor(bytesOf(one.text))).startsWith(one.reason ?? "?"));
    });
  }
  for (const one of casesFor("reject-any", cases)) {
    test(`rejects ${one.name}`, () => {
      reasonFor(bytesOf(one.text));
    });
  }
});
