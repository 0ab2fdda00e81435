import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Call } from "../src/ask/call.js";
import type { Outcome } from "../src/outcome.js";
import type { Command } from "../src/wire/commands.js";
import { RedisFault, faultOf } from "../src/wire/faults.js";
import type { Reply } from "../src/wire/replies.js";

const ID = "9f86d081884c7d659a2fe";
const ADD = ["XADD", "s", "NOMKSTREAM", "*", "id", ID, "instance_id", "a1b2c3", "status", "pending", "content", "7", "source_group", "caller:a1b2c3", "destination_group", "b"];
const DEADLINE = 5000;

const bytes = (text: string) => Buffer.from(text);
const lost = new RedisFault("lost", "the connection broke");

/** An entry as a page of XREAD or XRANGE has it. */
function row(entryId: string, fields: Readonly<Record<string, string>> = {}): Reply {
  const all = { id: ID, instance_id: "a1b2c3", status: "fulfilled", content: "8", source_group: "b", destination_group: "caller:a1b2c3", ...fields };
  return [bytes(entryId), Object.entries(all).flat().map(bytes)];
}

const page = (...rows: Reply[]): Reply => [[bytes("s"), rows]];
const groups = (...names: string[]): Reply => names.map((name) => [bytes("name"), bytes(name), bytes("consumers"), 0]);

/** A call, and a clock that its commands do not move. */
class Led {
  now = 0;
  readonly call: Call;

  constructor(highest = "0-0", earlyEnd = true) {
    this.call = new Call({ stream: "s", instance: "a1b2c3", id: ID, group: "b", content: "7", deadline: DEADLINE }, highest, earlyEnd);
  }

  /** The commands of the next turn, at its time. */
  get next(): readonly Command[] {
    const turn = this.call.turn(this.now);
    assert.ok(turn !== undefined, "it has an outcome");
    if (turn.at <= this.now) return turn.commands;
    this.now = turn.at;
    return this.next;
  }

  /** One turn and its replies. */
  step(...replies: Reply[]): readonly Command[] {
    const commands = this.next;
    assert.equal(commands.length, replies.length);
    this.call.replied(replies, this.now);
    return commands;
  }

  lose(): readonly Command[] {
    const commands = this.next;
    this.call.lost(true, lost, this.now);
    return commands;
  }

  get outcome(): Outcome | undefined {
    assert.equal(this.call.turn(this.now), undefined, "there is another turn");
    return this.call.outcome;
  }

  stored(): this {
    this.step(bytes("5-0"));
    return this;
  }
}

describe("a call of a caller", () => {
  test("writes its request once, reads after it, and deletes the response (RIPC-ASK-1 to 5)", () => {
    const led = new Led();
    assert.deepEqual(led.step(bytes("5-0")), [ADD]);
    assert.deepEqual(led.step(page(row("6-0", { id: "0123456789abcdef01234" }))), [["XREAD", "COUNT", 100, "BLOCK", 500, "STREAMS", "s", "5-0"]]);
    assert.deepEqual(led.step(page(row("7-0"))), [["XREAD", "COUNT", 100, "BLOCK", 500, "STREAMS", "s", "6-0"]]);
    assert.deepEqual(led.step(1), [["XDEL", "s", "7-0"]]);
    assert.deepEqual(led.outcome, { status: "fulfilled", content: bytes("8") });
    assert.equal(led.call.highest, "7-0");
  });

  for (const [about, fields] of Object.entries({
    "another instance": { instance_id: "ffffff" },
    "another group": { destination_group: "b" },
    "a request": { status: "pending" },
    "what is malformed": { status: "done" },
  })) {
    test(`does not take ${about} for its response (RIPC-ASK-4)`, () => {
      const led = new Led().stored();
      led.step(page(row("6-0", fields)));
      assert.equal(led.next[0]?.[0], "XREAD");
    });
  }

  test("deletes its request at the timeout, then looks once (RIPC-ASK-6, RIPC-TIME-13)", () => {
    const led = new Led("0-0", false).stored();
    led.now = DEADLINE;
    assert.deepEqual(led.step(1, []), [["XDEL", "s", "5-0"], ["XRANGE", "s", "(5-0", "+", "COUNT", 100]]);
    assert.deepEqual(led.outcome, { status: "timeout" });
  });

  test("takes the response that the last look finds (RIPC-TIME-8)", () => {
    const led = new Led("0-0", false).stored();
    led.now = DEADLINE;
    led.step(0, [row("6-0", { status: "rejected" })]);
    assert.deepEqual(led.step(1), [["XDEL", "s", "6-0"]]);
    assert.deepEqual(led.outcome, { status: "rejected", content: bytes("8") });
  });

  test("looks on after full pages, without the deletion", () => {
    const led = new Led("0-0", false).stored();
    led.now = DEADLINE;
    led.step(1, Array.from({ length: 100 }, (_, i) => row(`6-${i}`, { id: "0" })));
    assert.deepEqual(led.next, [["XRANGE", "s", "(6-99", "+", "COUNT", 100]]);
  });

  test("fails where there is no stream (RIPC-ASK-2)", () => {
    const led = new Led();
    led.step(null);
    assert.equal(led.outcome?.status, "failed");
  });

  test("does not repeat an XADD without a reply: it finds the request, and waits on (RIPC-ASK-9)", () => {
    const led = new Led("3-0");
    led.lose();
    assert.deepEqual(led.step([row("4-0", { status: "pending", destination_group: "b" })]), [["XRANGE", "s", "(3-0", "+", "COUNT", 100]]);
    assert.equal(led.next[0]?.[0], "XREAD");
    assert.equal(led.next[0]?.at(-1), "4-0");
  });

  test("takes the response that came before its request was found", () => {
    const led = new Led();
    led.lose();
    led.step([row("4-0", { status: "pending", destination_group: "b" }), row("6-0")]);
    assert.deepEqual(led.step(1), [["XDEL", "s", "6-0"]]);
    assert.equal(led.outcome?.status, "fulfilled");
  });

  test("fails where its request is not found, and says that it may be stored", () => {
    const led = new Led();
    led.lose();
    led.step([]);
    const { outcome } = led;
    assert.ok(outcome?.status === "failed" && outcome.message.includes("may be stored"));
  });

  test("writes again what Redis refused for a while, on another connection", () => {
    const led = new Led();
    led.step(faultOf("LOADING Redis is loading"));
    const turn = led.call.turn(led.now);
    assert.deepEqual([turn?.commands, turn?.fresh, turn?.at], [[ADD], true, 50]);
  });

  test("fails at once where Redis refuses for good", () => {
    const led = new Led();
    led.step(faultOf("NOPERM no permissions"));
    assert.equal(led.outcome?.status, "failed");
  });

  test("deletes its request where reading is refused for good", () => {
    const led = new Led().stored();
    led.step(faultOf("NOPERM no permissions to run XREAD"));
    assert.deepEqual(led.step(1), [["XDEL", "s", "5-0"]]);
    assert.equal(led.outcome?.status, "failed");
  });

  test("fails, and did not write, where Redis is away until the deadline", () => {
    const led = new Led();
    while (led.call.outcome === undefined && led.call.turn(led.now) !== undefined) {
      led.now = Math.max(led.now, led.call.turn(led.now)?.at ?? led.now);
      led.call.lost(false, lost, led.now);
    }
    const { outcome } = led;
    assert.ok(outcome?.status === "failed" && outcome.message.includes("could not be written"));
    assert.equal(led.now, DEADLINE);
  });

  test("that was never written says so, however late the process is", () => {
    for (const late of [0, 1000, 30_000]) {
      const led = new Led();
      led.call.lost(false, lost, led.now);
      led.now = DEADLINE + late;
      const { outcome } = led;
      assert.ok(outcome?.status === "failed" && outcome.message.includes("could not be written"), `${outcome?.status} ${late} ms late`);
    }
  });

  test("reads again where somebody ended its read", () => {
    const led = new Led().stored();
    led.step(faultOf("UNBLOCKED client unblocked via CLIENT UNBLOCK"));
    assert.equal(led.next[0]?.[0], "XREAD");
  });

  test("ends as no responders after two looks, 0.5 s apart, and deletes its request (RIPC-REQ-16)", () => {
    const led = new Led().stored();
    led.now = 500;
    assert.deepEqual(led.step(groups("web", "stock")), [["XINFO", "GROUPS", "s"]]);
    assert.deepEqual(led.step(null)[0]?.slice(0, 5), ["XREAD", "COUNT", 100, "BLOCK", 500]);
    led.now = 1000;
    assert.deepEqual(led.step(groups("web")), [["XINFO", "GROUPS", "s"]]);
    assert.deepEqual(led.step(1, [], groups("wed")).map(([name]) => name), ["XDEL", "XRANGE", "XINFO"]);
    assert.deepEqual(led.outcome, { status: "no-responders", finding: { diagnosis: "no_such_group", text: "there is no group b (groups here: wed)" } });
  });

  test("waits on where its group is there at the second look", () => {
    const led = new Led().stored();
    led.now = 500;
    led.step(groups());
    led.now = 1000;
    led.step(groups("b"));
    assert.equal(led.next[0]?.[0], "XREAD");
  });

  test("goes on to its timeout where it may not ask for groups", () => {
    const led = new Led().stored();
    led.now = 500;
    led.step(faultOf("NOPERM no permissions to run XINFO"));
    assert.equal(led.call.earlyEnd, false);
    assert.equal(led.next[0]?.[0], "XREAD");
  });

  test("deletes its request when it is cancelled (RIPC-ASK-6)", () => {
    const led = new Led().stored();
    led.call.cancel(led.now);
    assert.equal(led.call.turn(led.now)?.fresh, true);
    assert.deepEqual(led.step(1, [])[0], ["XDEL", "s", "5-0"]);
    assert.deepEqual(led.outcome, { status: "cancelled" });
  });

  test("deletes a response that is there when it is cancelled: nobody else would", () => {
    const led = new Led().stored();
    led.call.cancel(led.now);
    led.step(0, [row("6-0")]);
    assert.deepEqual(led.step(1), [["XDEL", "s", "6-0"]]);
    assert.deepEqual(led.outcome, { status: "cancelled" });
  });

  test("looks for the request that may be stored when it is cancelled meanwhile", () => {
    const led = new Led();
    led.lose();
    led.call.cancel(led.now);
    led.step([row("4-0", { status: "pending", destination_group: "b" })]);
    assert.deepEqual(led.step(1, [])[0], ["XDEL", "s", "4-0"]);
    assert.deepEqual(led.outcome, { status: "cancelled" });
  });

  test("ends within 1 s after its deadline, whatever Redis does (RIPC-TIME-4)", () => {
    const led = new Led("0-0", false).stored();
    led.now = DEADLINE;
    const turn = led.call.turn(led.now);
    assert.ok(turn !== undefined && turn.limit < DEADLINE + 1000);
    led.now = turn.limit;
    assert.deepEqual(led.outcome, { status: "timeout" });
  });
});
