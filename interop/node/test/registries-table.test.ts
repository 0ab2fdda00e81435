import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { readChannelRequest } from "../src/channel-request.js";
import { decodeContent } from "../src/content/content.js";
import { announcedBy, announcementText } from "../src/core/announcement.js";
import { Reporter } from "../src/events.js";
import { Rejection } from "../src/index.js";
import { readReason } from "../src/reasons.js";
import { serveWith } from "../src/serve.js";
import * as commands from "../src/wire/commands.js";
import { entryOf } from "../src/wire/entry.js";
import { instanceOf, namesOf } from "../src/wire/names.js";
import { Parts } from "./parts.js";
import { loadTable } from "./tables.js";

interface Row {
  readonly id: string;
  readonly value?: string;
  readonly key?: string;
  readonly type?: string;
  readonly channel?: string;
  readonly prefix?: string;
  readonly needed?: boolean;
  readonly name?: string;
  readonly announced?: boolean;
  readonly code?: string;
  readonly begins?: string;
  readonly ms?: number;
}

const { tables } = loadTable("registries") as { tables: readonly { id: string; rows: readonly Row[] }[] };
const rowsOf = (id: string): readonly Row[] => tables.find((table) => table.id === id)?.rows ?? [];

const names = namesOf("shop", "stock", "a1b2c3");
/** A name of the table with ours in it. */
const filled = (form: string): string => form.replace("<stream>", "shop").replace("<group>", "stock").replace("<instance>", "a1b2c3").replace("<n>", "0");

function entry(status: string, entryId = "5-0") {
  const fields = { id: "9f86d081884c7d659a2fe", instance_id: "51b110", status, content: "1", source_group: "b", destination_group: "web" };
  return entryOf(entryId, Object.entries(fields).flat().map((text) => Buffer.from(text)));
}

describe("each row of the registry of", () => {
  for (const { value = "", id } of rowsOf("status")) {
    test(`status values: ${value}`, () => {
      assert.equal(entry(value).kind, id === "pending" ? "request" : "response");
      for (const other of [value.toUpperCase(), `${value} `, `${value}\n`, value.slice(1)]) assert.equal(entry(other).kind, "malformed");
    });
  }

  const KEYS: Readonly<Record<string, { readonly key: string; readonly made: commands.Command; readonly type: string }>> = {
    consumers: { key: names.availability, made: commands.register(names)[2]!, type: "LPUSH" },
    announce: { key: names.announcement, made: commands.announce(names, "{}"), type: "SET" },
  };
  const MAKES: Readonly<Record<string, string>> = { list: "LPUSH", string: "SET" };
  for (const { id, key = "", type = "" } of rowsOf("side-keys")) {
    test(`side keys: ${key}`, () => {
      assert.equal(KEYS[id]?.key, filled(key));
      assert.deepEqual(KEYS[id].made.slice(0, 2), [MAKES[type], filled(key)]);
    });
  }

  const CHANNELS: Readonly<Record<string, string>> = { "instance-wakeup": names.wakeup, "group-wakeup": names.groupWakeup };
  for (const { id, channel = "" } of rowsOf("channels")) {
    test(`channels: ${channel}`, () => {
      assert.equal(CHANNELS[id], filled(channel));
    });
  }

  const CONSUMERS: Readonly<Record<string, string>> = { dispatcher: names.dispatcher, consumer: names.consumer };
  for (const { id, prefix = "" } of rowsOf("consumers")) {
    test(`kinds of consumers: ${prefix}`, () => {
      assert.equal(CONSUMERS[id], filled(prefix));
      assert.equal(instanceOf(Buffer.from(filled(prefix)))?.toString(), "a1b2c3");
      assert.equal(instanceOf(Buffer.from(prefix.replace("<instance>", "any_one").replace("<n>", "12")))?.toString(), "any_one");
      assert.equal(instanceOf(Buffer.from(`x${filled(prefix)}`)), undefined);
    });
  }
  test("kinds of consumers: a name of another form is nobody's", () => {
    for (const name of ["worker_a1b2c3_0", "consumer_a1b2c3", "consumer__0", "dispatcher_a1b2c3_x"]) assert.equal(instanceOf(Buffer.from(name)), undefined, name);
  });

  const said = JSON.parse(announcementText({ wakeup: true, responder: true, timeoutMs: 2000.4 })) as Record<string, unknown>;
  const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
    string: (value) => typeof value === "string" && value !== "",
    "list of strings": (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
    "integer, 1 or more": (value) => Number.isInteger(value) && (value as number) >= 1,
  };
  for (const { key = "", type = "", needed = false } of rowsOf("announcement")) {
    test(`keys of the announcement: ${key} is ${type}`, () => {
      assert.ok(TYPES[type]?.(said[key]), `${key} is ${JSON.stringify(said[key])}`);
      const without = Object.fromEntries(Object.entries(said).filter(([name]) => name !== key));
      const read = (value: unknown) => announcedBy(Buffer.from(JSON.stringify(value)));
      if (!needed) assert.deepEqual(read(without), { wakeup: true, responder: true });
      for (const odd of [null, 7, {}, ["x", 7], ""]) assert.doesNotThrow(() => read({ ...said, [key]: odd }));
    });
  }
  test("keys of the announcement: no key is written that is not registered", () => {
    const known = new Set(rowsOf("announcement").map(({ key }) => key));
    for (const key of Object.keys(said)) assert.ok(known.has(key), key);
  });

  /** The features of this port: those of a Stream, which the testee claims. */
  const CLAIMED = ["cancel", "cancellation", "redelivery", "wakeup", "announce", "early-end"];
  for (const { name = "", announced = false } of rowsOf("features")) {
    test(`features: ${name}`, () => {
      assert.equal((said.features as string[]).includes(name), announced && CLAIMED.includes(name));
      const { features } = JSON.parse(announcementText({ wakeup: false, responder: true, timeoutMs: 1 })) as { features: string[] };
      assert.ok(!features.includes(name));
      const testee = readFileSync(new URL("../../testee/port.ts", import.meta.url), "utf8");
      assert.equal(testee.includes(`"${name}"`), CLAIMED.includes(name));
    });
  }

  for (const { key = "" } of rowsOf("meta")) {
    test(`keys of meta: ${key} disturbs no event`, () => {
      for (const value of [1, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", null, [], {}]) {
        assert.deepEqual(readChannelRequest({ event: "add", params: { a: 1 }, meta: { [key]: value } }, () => true), { event: "add", params: { a: 1 } });
      }
    });
  }

  for (const { code = "", begins = "", id } of rowsOf("reasons")) {
    test(`reasons: ${code} begins ${JSON.stringify(begins)}`, async () => {
      const made = (await MADE[id]?.()) ?? "nothing";
      assert.ok(made.startsWith(begins), made);
      assert.equal(readReason(made).code, code);
    });
  }

  test("marks of a give-back", () => {
    const marks = Object.fromEntries(rowsOf("give-back-marks").map(({ id, ms }) => [id, ms]));
    assert.deepEqual(marks, {
      written: commands.GIVE_BACK_IDLE_MS,
      "written-response": commands.GIVE_BACK_RESPONSE_IDLE_MS,
      read: commands.GIVEN_BACK_FROM_MS,
      "read-response": commands.RESPONSE_FROM_MS,
    });
    assert.ok(commands.giveBack(names, ["5-0"]).includes(marks.written ?? NaN));
    assert.ok(commands.giveBack(names, ["5-0"], 0, true).includes(marks["written-response"] ?? NaN));
    assert.deepEqual(Object.keys(marks).length, rowsOf("give-back-marks").length);
  });

  test("all tables are looked at", () => {
    const known = ["announcement", "channels", "consumers", "features", "give-back-marks", "meta", "reasons", "side-keys", "status"];
    assert.deepEqual(tables.map(({ id }) => id).sort(), known);
  });
});

/** The reason with which these parts reject a request. */
async function rejection(parts: Parts, starts = 1, then: (parts: Parts) => void = () => undefined): Promise<string> {
  parts.shared.router.route(entry("pending"), starts, parts.now);
  await parts.settle();
  then(parts);
  await parts.settle();
  const add: readonly unknown[] = parts.sent.find(([name]) => name === "XADD") ?? [];
  assert.equal(add[add.indexOf("status") + 1], "rejected");
  return decodeContent(Buffer.from(String(add[add.indexOf("content") + 1]))) as string;
}

function served(handler: () => unknown): Parts {
  return new Parts({ wakeups: false }, serveWith(handler, () => new Reporter().on("problem", () => undefined)));
}

/** How each reason comes about. */
const MADE: Readonly<Record<string, () => string | Promise<string>>> = {
  overloaded: () => {
    const parts = new Parts({ wakeups: false, concurrency: 1, queueLimit: 0 });
    parts.replies.set("XINFO CONSUMERS", []);
    parts.shared.router.route(entry("pending", "4-0"), 1, parts.now);
    return rejection(parts);
  },
  "no-handler": () => rejection(new Parts({ wakeups: false }, null)),
  "too-old": () => rejection(new Parts({ wakeups: false, maxRequestAgeMs: 1000 })),
  "given-up": () => rejection(new Parts({ wakeups: false }), 4),
  closing: () => rejection(new Parts({ wakeups: false }), 1, ({ shared }) => { shared.responder.rejectRunning(); }),
  "handler-failed": () => rejection(served(() => { throw new Error("x"); })),
  "not-encodable": () => rejection(served(() => NaN)),
  "invalid-params": () => refusalOf({ event: "add", params: [1] }),
  "unsupported-event": () => refusalOf({ event: "none" }),
  "malformed-event": () => refusalOf([1]),
};

function refusalOf(content: Parameters<typeof readChannelRequest>[0]): string {
  try {
    readChannelRequest(content, (event) => event === "add");
  } catch (error) {
    if (error instanceof Rejection) return error.message;
  }
  return "it was not refused";
}
