import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { MOST_ATTEMPTS } from "../src/core/answers.js";
import { RedisFault, faultOf } from "../src/wire/faults.js";
import { entryOf } from "../src/wire/entry.js";
import type { Reply } from "../src/wire/replies.js";
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

const NO_CLASS = "ERR that is nothing for this proxy";

/** Lets the endpoint answer what it was given, and the contents of the responses that it writes. */
async function written(parts: Parts): Promise<unknown[]> {
  parts.shared.router.route(request(), 1, parts.now);
  const contents: unknown[] = [];
  for (let i = 0; i < 3 * MOST_ATTEMPTS; i++) {
    for (const command of await parts.settle()) if (command[0] === "XADD") contents.push(command[command.indexOf("content") + 1]);
  }
  return contents;
}

describe("an answer that Redis refuses with an error of no class (RIPC-RESP-25, RIPC-RESP-27)", () => {
  const rejection = `"not_encodable: the answer was refused ${MOST_ATTEMPTS} times: ${NO_CLASS}"`;
  const both = [...Array<string>(MOST_ATTEMPTS).fill("poison"), ...Array<string>(MOST_ATTEMPTS).fill(rejection)];

  test("is written three times, its rejection three times, and then it is settled", async () => {
    const parts = new Parts({ wakeups: false }, () => Promise.resolve({ status: "fulfilled", content: "poison" }));
    parts.replies.set("XADD", faultOf(NO_CLASS));
    parts.replies.set("EXEC", faultOf("EXECABORT Transaction discarded because of previous errors."));
    assert.deepEqual(await written(parts), both);
    assert.equal(parts.problems.length, 2);
    assert.deepEqual(parts.shared.responder.all(), []);
    assert.deepEqual(parts.sent.filter(([name]) => name === "XACK").at(-1), ["XACK", "s", "web", "5-0"]);
  });

  test("is written again without its request, where EXEC deleted the request", async () => {
    const parts = new Parts({ wakeups: false }, () => Promise.resolve({ status: "fulfilled", content: "poison" }));
    let refusals = 1;
    parts.replies.set("EXEC", () => {
      const [held] = parts.shared.responder.all();
      if (refusals-- > 0) return [faultOf(NO_CLASS), 1, 1];
      assert.equal(held?.stranded, true);
      return [Buffer.from("9-0"), 0, 0];
    });
    assert.deepEqual(await written(parts), ["poison", "poison"]);
    assert.deepEqual(parts.shared.responder.all(), []);
  });
});

describe("a send that Redis refuses with an error of no class (RIPC-REQ-14)", () => {
  test("ends as failed, and is not written again", async () => {
    const parts = new Parts({ wakeups: false });
    parts.replies.set("XADD", faultOf(NO_CLASS));
    parts.send();
    for (let i = 0; i < 5; i++) await parts.settle();
    assert.deepEqual(parts.outcomes.map(({ status }) => status), ["failed"]);
    assert.equal(parts.sent.filter(([name]) => name === "XADD").length, 1);
  });
});

describe("an answer that is written alone", () => {
  test("keeps nothing else from being written after it", async () => {
    const parts = new Parts({ wakeups: false }, () => Promise.resolve({ status: "fulfilled", content: "large" }));
    let reply: (exec: Reply) => void = () => undefined;
    parts.replies.set("EXEC", new Promise<Reply>((resolve) => (reply = resolve)));
    parts.shared.router.route(request(), 1, parts.now);
    for (const held of parts.shared.responder.all()) held.attempts = 1;
    assert.equal((await parts.settle()).at(-1)?.[0], "EXEC");
    parts.shared.writer.acknowledge("7-0");
    assert.deepEqual(await parts.settle(), []);
    reply([Buffer.from("9-0"), 1, 1]);
    assert.deepEqual(await parts.settle(), [["XACK", "s", "web", "7-0"]]);
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
