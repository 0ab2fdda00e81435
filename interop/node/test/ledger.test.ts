import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Ledger, Send } from "../src/core/ledger.js";
import type { Outcome } from "../src/outcome.js";

function sendInto(ledger: Ledger, id: string): { send: Send; outcomes: Outcome[] } {
  const outcomes: Outcome[] = [];
  const send = new Send(id, "stock", "1", 1000, (outcome) => outcomes.push(outcome));
  ledger.add(send);
  return { send, outcomes };
}

describe("ledger", () => {
  test("finds a send by its id alone", () => {
    const ledger = new Ledger();
    const { send } = sendInto(ledger, "a");
    sendInto(ledger, "b");
    assert.equal(ledger.find(Buffer.from("a")), send);
    assert.equal(ledger.find(Buffer.from("c")), undefined);
    assert.equal(ledger.size, 2);
  });

  test("gives a send one outcome, the first", () => {
    const ledger = new Ledger();
    const { send, outcomes } = sendInto(ledger, "a");
    assert.equal(ledger.finish(send, { status: "fulfilled", content: Buffer.from("1") }), true);
    assert.equal(ledger.finish(send, { status: "timeout" }), false);
    assert.deepEqual(outcomes, [{ status: "fulfilled", content: Buffer.from("1") }]);
    assert.equal(send.finished, true);
  });

  test("forgets a send with its outcome", () => {
    const ledger = new Ledger();
    const { send } = sendInto(ledger, "a");
    ledger.finish(send, { status: "timeout" });
    assert.equal(ledger.has(Buffer.from("a")), false);
    assert.equal(ledger.size, 0);
  });
});
