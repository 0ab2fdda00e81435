import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { MOST_ATTEMPTS } from "../src/core/answers.js";
import { RedisFault } from "../src/wire/faults.js";
import { entryOf } from "../src/wire/entry.js";
import { Parts } from "./parts.js";

function request() {
  const fields = { id: "9f86d081884c7d659a2fe", instance_id: "51b110", status: "pending", content: "1", source_group: "peers", destination_group: "web" };
  return entryOf("5-0", Object.entries(fields).flat().map((text) => Buffer.from(text)));
}

describe("an answer whose write breaks the connection (RIPC-RESP-25)", () => {
  test("is written three times, its rejection three times, and then it is settled: each is reported once", async () => {
    const parts = new Parts({ wakeups: false }, () => Promise.resolve({ status: "fulfilled", content: "large" }));
    for (const name of ["MULTI", "XADD", "EXEC"]) parts.replies.set(name, new RedisFault("lost", "broke"));
    parts.shared.router.route(request(), 1, parts.now);
    const contents: unknown[] = [];
    for (let i = 0; i < 3 * MOST_ATTEMPTS; i++) {
      for (const command of await parts.settle()) if (command[0] === "XADD") contents.push(command[command.indexOf("content") + 1]);
      for (const held of parts.shared.responder.all()) parts.shared.responder.answers.notWritten(held);
    }
    const rejection = `"not_encodable: the answer broke the connection ${MOST_ATTEMPTS} times"`;
    assert.deepEqual(contents, [...Array<string>(MOST_ATTEMPTS).fill("large"), ...Array<string>(MOST_ATTEMPTS).fill(rejection)]);
    assert.equal(parts.problems.length, 2);
    assert.deepEqual(parts.shared.responder.all(), []);
    assert.deepEqual(parts.sent.filter(([name]) => name === "XACK").at(-1), ["XACK", "s", "web", "5-0"]);
  });
});

describe("an answer to EXEC that makes no sense", () => {
  test("breaks the connection, and is not followed by the same commands at once", async () => {
    const parts = new Parts({ wakeups: false }, () => Promise.resolve({ status: "fulfilled", content: "1" }));
    parts.replies.set("EXEC", 7);
    let broken = 0;
    Object.assign(parts.shared.session ?? {}, { break: () => broken++ });
    parts.shared.router.route(request(), 1, parts.now);
    for (let i = 0; i < 5; i++) await parts.settle();
    assert.equal(parts.sent.filter(([name]) => name === "EXEC").length, 1);
    assert.deepEqual([broken, parts.shared.responder.all().map(({ state }) => state)], [1, ["unsure"]]);
  });
});
