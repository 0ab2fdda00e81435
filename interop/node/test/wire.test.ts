import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { announcedBy, announcementText } from "../src/core/announcement.js";
import { InvalidArgument, VERSION } from "../src/index.js";
import { checkTime } from "../src/given.js";
import { resolveOptions } from "../src/options.js";
import * as commands from "../src/wire/commands.js";
import { faultOf } from "../src/wire/faults.js";
import { KINDS, loadTable } from "./tables.js";
import { checkName, instanceOf, namesOf, newInstance, newRequestId } from "../src/wire/names.js";

interface ErrorRow {
  readonly class: string;
  readonly codes: readonly string[];
}

const table = (name: string) => loadTable(name) as { tables: { rows: ErrorRow[] }[] };
const names = namesOf("shop", "stock", "d4e5f6");

describe("wire", () => {
  test("an answer is one MULTI: the response, then the settling of its request", () => {
    const response: commands.FieldValues = ["9f86d081884c7d659a2fe", "a1b2c3", "fulfilled", "7", "stock", "web"];
    const lines = commands.answers(names, [response], ["1700000000000-0"]).map((command) => command.join(" "));
    assert.deepEqual(lines, [
      "MULTI",
      "XADD shop NOMKSTREAM * id 9f86d081884c7d659a2fe instance_id a1b2c3 status fulfilled content 7 source_group stock destination_group web",
      "XACK shop stock 1700000000000-0",
      "XDEL shop 1700000000000-0",
      "EXEC",
    ]);
  });

  test("a give-back is a claim with an idle time of 10 years", () => {
    const command = commands.giveBack(names, ["1-0", "2-0"]);
    assert.equal(command.join(" "), "XCLAIM shop stock dispatcher_d4e5f6_0 0 1-0 2-0 IDLE 315360000000 JUSTID");
  });

  test("keys and ids have the form that the protocol gives them", () => {
    assert.equal(names.availability, "shop:stock:d4e5f6:consumers");
    assert.equal(names.announcement, "shop:stock:d4e5f6:announce");
    assert.match(newInstance(), /^[0-9a-f]{6}$/);
    assert.match(newRequestId(), /^[0-9a-f]{21}$/);
    assert.equal(instanceOf(Buffer.from("consumer_a1b2c3_12"))?.toString(), "a1b2c3");
    assert.equal(instanceOf(Buffer.from("somebody")), undefined);
  });

  test("blank names and impossible options are refused", () => {
    for (const name of ["", " ", "\t\n", "\u00a0", "\u0085", 7]) assert.throws(() => { checkName("group", name); }, InvalidArgument);
    for (const time of [0, -1, NaN, Infinity, "5", null]) assert.throws(() => { checkTime("timeoutMs", time); }, InvalidArgument);
    assert.throws(() => resolveOptions({ url: "localhost:6379", stream: "s" }), InvalidArgument);
    assert.throws(() => resolveOptions({ url: "redis://h", stream: "s", concurrency: 0 }), InvalidArgument);
  });

  for (const row of table("errors").tables[0]?.rows ?? []) {
    test(`errors of the class ${row.class} are told apart`, () => {
      for (const code of row.codes) assert.equal(faultOf(`${code} and more`).kind, KINDS[row.class], code);
    });
  }

  test("an EXEC that was discarded has the class of its reason", () => {
    const kinds = [
      "EXECABORT Transaction discarded because of previous errors.",
      "EXECABORT Transaction discarded because of: OOM command not allowed",
      "EXECABORT Transaction discarded because of: MISCONF Redis is configured to save",
      "ERR what",
      "BUSYGROUP it exists",
    ].map((message) => faultOf(message).kind);
    assert.deepEqual(kinds, ["aborted", "no-memory", "no-writes", "unknown", "busy-group"]);
  });

  test("announcements are read whatever is in them", () => {
    const responder = { wakeup: true, responder: true, timeoutMs: 5000 };
    assert.deepEqual(announcedBy(Buffer.from(announcementText(responder))), { wakeup: true, responder: true });
    assert.deepEqual(announcedBy(Buffer.from(announcementText({ ...responder, responder: false }))), { wakeup: true, responder: false });
    assert.deepEqual(announcedBy(Buffer.from('{"spec":"1.7","features":["x","wakeup"],"more":1}')), { wakeup: true, responder: true });
    const another = '{"spec":"2.0","features":["wakeup"],"roles":["requester"]}';
    for (const text of ["", "{", "[]", "null", '{"spec":"1.0","features":"wakeup"}', '{"spec":1,"features":["wakeup"]}', '{"features":["wakeup"]}', another]) {
      assert.deepEqual(announcedBy(Buffer.from(text)), { wakeup: false, responder: true });
    }
    const one = '{"spec":"1.0","features":["wakeup"]}';
    const odd = [Buffer.from(one, "utf16le"), Buffer.from(`\ufeff${one}`), Buffer.from(`${one.slice(0, -1)},"x":NaN}`), Buffer.from(`${one.slice(0, -1)},"x":"\xff"}`, "latin1")];
    for (const bytes of odd) assert.deepEqual(announcedBy(bytes), { wakeup: false, responder: true });
    assert.deepEqual(announcedBy(null), { wakeup: false, responder: true });
  });

  test("the version is that of package.json", () => {
    const file = new URL("../../package.json", import.meta.url);
    assert.equal((JSON.parse(readFileSync(file, "utf8")) as { version: string }).version, VERSION);
  });
});
