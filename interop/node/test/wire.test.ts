import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { announcementText, announcesWakeup } from "../src/core/announcement.js";
import { InvalidArgument, VERSION } from "../src/index.js";
import { checkTime, resolveOptions } from "../src/options.js";
import * as commands from "../src/wire/commands.js";
import { faultOf } from "../src/wire/faults.js";
import { checkName, instanceOf, namesOf, newInstance, newRequestId } from "../src/wire/names.js";

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

  test("a give-back is a claim with an idle time", () => {
    const command = commands.claim(names, names.dispatcher, 0, ["1-0", "2-0"], { idle: commands.GIVEN_BACK_MS });
    assert.equal(command.join(" "), "XCLAIM shop stock dispatcher_d4e5f6_0 0 1-0 2-0 IDLE 86400000 JUSTID");
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

  test("errors of Redis are told apart by what is done about them", () => {
    const kinds = [
      "NOGROUP No such key", "OOM command not allowed", "LOADING Redis is loading", "NOPERM no", "BUSYGROUP it exists",
      "EXECABORT Transaction discarded because of previous errors.",
      "EXECABORT Transaction discarded because of: OOM command not allowed", "ERR what", "MOVED 1 127.0.0.1:1",
    ].map((message) => faultOf(message).kind);
    assert.deepEqual(kinds, ["group-lost", "refusal", "outage", "permanent", "busy-group", "aborted", "refusal", "unknown", "outage"]);
  });

  test("announcements are read whatever is in them", () => {
    assert.equal(announcesWakeup(Buffer.from(announcementText(["wakeup"]))), true);
    assert.equal(announcesWakeup(Buffer.from('{"features":["x","wakeup"],"more":1}')), true);
    for (const text of ["", "{", "[]", "null", '{"features":"wakeup"}', announcementText([])]) {
      assert.equal(announcesWakeup(Buffer.from(text)), false);
    }
    assert.equal(announcesWakeup(null), false);
  });

  test("the version is that of package.json", () => {
    const file = new URL("../../package.json", import.meta.url);
    assert.equal((JSON.parse(readFileSync(file, "utf8")) as { version: string }).version, VERSION);
  });
});
