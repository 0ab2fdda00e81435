import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { type Action, actionFor } from "../src/core/routing.js";
import { type FIELDS, entryOf } from "../src/wire/entry.js";

const self = { group: Buffer.from("web"), instance: Buffer.from("a1b2c3"), waitsFor: (id: Buffer) => id.toString() === "known" };

function entry(values: Partial<Record<(typeof FIELDS)[number], string | Buffer | null>>, more: string[] = []) {
  const all = { id: "known", instance_id: "a1b2c3", status: "pending", content: "", source_group: "s", destination_group: "web", ...values };
  const flat = Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [Buffer.from(name), Buffer.from(value)]));
  return entryOf("1-0", [...flat, ...more.map((text) => Buffer.from(text))]);
}

/** The rows of the table of SPEC.md, section 7. */
const rows: [string, Action, ReturnType<typeof entry>][] = [
  ["a request to another group", "acknowledge", entry({ destination_group: "stock" })],
  ["a response to another group", "acknowledge", entry({ destination_group: "stock", status: "fulfilled" })],
  ["what is malformed, to another group", "acknowledge", entry({ destination_group: "stock", status: "x" })],
  ["a request to its own group", "run", entry({})],
  ["a request from its own group and instance", "run", entry({ source_group: "web" })],
  ["a response to a known id", "deliver", entry({ status: "fulfilled" })],
  ["a rejection of a known id", "deliver", entry({ status: "rejected" })],
  ["a response to an unknown id", "settle", entry({ status: "fulfilled", id: "other" })],
  ["a response for another instance", "hand-over", entry({ status: "fulfilled", instance_id: "A1B2C3" })],
  ["another status", "report-and-settle", entry({ status: "PENDING" })],
  ["a missing field", "report-and-settle", entry({ content: null })],
  ["a field more", "report-and-settle", entry({}, ["extra", "1"])],
  ["a field twice", "report-and-settle", entry({}, ["id", "known"])],
  ["a destination twice, the last one another group", "acknowledge", entry({}, ["destination_group", "stock"])],
  ["an empty id", "report-and-settle", entry({ id: "" })],
  ["an empty instance", "report-and-settle", entry({ instance_id: "" })],
  ["an empty source", "report-and-settle", entry({ source_group: "" })],
  ["an empty destination", "report-and-acknowledge", entry({ destination_group: "" })],
  ["no destination", "report-and-acknowledge", entry({ destination_group: null })],
  ["no body", "acknowledge", entryOf("1-0", null)],
  ["a group that differs in case", "acknowledge", entry({ destination_group: "Web" })],
  ["bytes that are not UTF-8", "deliver", entry({ status: "fulfilled", content: Buffer.from([0xff]) })],
];

describe("routing", () => {
  for (const [name, action, one] of rows) {
    test(`${name}: ${action}`, () => {
      assert.equal(actionFor(one, self), action);
    });
  }

  test("tells ids apart that are not UTF-8", () => {
    const wanted = Buffer.from([0xfe]);
    const waits = { ...self, waitsFor: (id: Buffer) => id.equals(wanted) };
    assert.equal(actionFor(entry({ status: "fulfilled", id: wanted }), waits), "deliver");
    assert.equal(actionFor(entry({ status: "fulfilled", id: Buffer.from([0xff]) }), waits), "settle");
  });
});
