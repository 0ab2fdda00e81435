import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";

import { faultOf } from "../src/wire/faults.js";
import type { Reply } from "../src/wire/replies.js";
import { Parts } from "./parts.js";

const groups = (...names: string[]): Reply => names.map((name) => [Buffer.from("name"), Buffer.from(name)]);

async function pass(parts: Parts, ms: number) {
  parts.now += ms;
  mock.timers.tick(ms);
  return (await parts.settle()).map((command) => command.slice(0, 2).join(" "));
}

describe("the early end of a send (RIPC-REQ-16)", () => {
  beforeEach(() => {
    mock.timers.enable({ apis: ["setTimeout"] });
  });
  afterEach(() => {
    mock.timers.reset();
  });

  test("comes after two looks, 0.5 s apart, and the request is deleted", async () => {
    const parts = new Parts();
    parts.replies.set("XINFO GROUPS", groups("web"));
    parts.send();
    await parts.settle();
    assert.deepEqual(await pass(parts, 499), []);
    assert.deepEqual(await pass(parts, 1), ["XINFO GROUPS"]);
    assert.deepEqual(parts.outcomes, []);
    assert.deepEqual(await pass(parts, 500), ["XINFO GROUPS", "XDEL s"]);
    assert.deepEqual(parts.outcomes, [{ status: "no-responders", finding: { text: "there is no group b (groups here: web)" } }]);
  });

  test("one look serves all, and a group that was seen is not asked for again within 5 s", async () => {
    const parts = new Parts();
    parts.replies.set("XINFO GROUPS", groups("b"));
    parts.send();
    parts.send();
    await parts.settle();
    assert.deepEqual(await pass(parts, 500), ["XINFO GROUPS"]);
    parts.send();
    await parts.settle();
    assert.deepEqual(await pass(parts, 4000), []);
    parts.send();
    await parts.settle();
    assert.deepEqual(await pass(parts, 1500), ["XINFO GROUPS"]);
    assert.deepEqual(parts.outcomes, []);
  });

  test("does not come where the group is there at the second look, or may not be looked for", async () => {
    const parts = new Parts();
    parts.replies.set("XINFO GROUPS", groups());
    parts.send();
    await parts.settle();
    await pass(parts, 500);
    parts.replies.set("XINFO GROUPS", groups("b"));
    await pass(parts, 500);
    assert.deepEqual(parts.outcomes, []);

    const other = new Parts();
    other.replies.set("XINFO GROUPS", faultOf("NOPERM no permissions"));
    for (const expected of [["XINFO GROUPS"], []]) {
      other.send();
      await other.settle();
      assert.deepEqual(await pass(other, 500), expected);
    }
  });

  test("is switched off by the option earlyEnd", async () => {
    const parts = new Parts({ earlyEnd: false });
    parts.send();
    await parts.settle();
    assert.deepEqual(await pass(parts, 2000), []);
  });
});
