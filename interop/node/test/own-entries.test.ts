import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";

import { Reader } from "../src/core/reader.js";
import type { Command } from "../src/wire/commands.js";
import { type Request, entryOf } from "../src/wire/entry.js";
import { RedisFault, faultOf } from "../src/wire/faults.js";
import type { Reply } from "../src/wire/replies.js";
import { Parts } from "./parts.js";

const ID = "9f86d081884c7d659a2fe";
const fieldsOf = (id: string, source: string, destination: string, status = "pending", instance = "51b110") =>
  ["id", id, "instance_id", instance, "status", status, "content", "1", "source_group", source, "destination_group", destination].map((text) => Buffer.from(text));
const row = (entryId: string, fields: Buffer[]): Reply => [Buffer.from(entryId), fields];
const readOf = (...rows: Reply[]): Reply => [[Buffer.from("s"), rows]];

const hands: Hand[] = [];
afterEach(() => {
  for (const hand of hands.splice(0)) hand.parts.shared.requester.cancelAll(); // else their timers would never end
});

/** Parts whose batches may read, as those of a live endpoint, and a script of the replies to whole batches. */
class Hand {
  readonly parts = new Parts();
  readonly reader = new Reader(this.parts.shared, () => Promise.resolve(), () => Promise.resolve());
  /** What Redis replies to the next batches, instead of carrying them out. */
  readonly script: Reply[][] = [];
  /** What the reads in the next transactions bring. */
  readonly brings: Reply[] = [];
  private queued: Reply[] | undefined;

  constructor() {
    const batch = (commands: readonly Command[]) => {
      this.parts.sent.push(...commands);
      return Promise.resolve(this.script.shift() ?? commands.map((command) => this.reply(command)));
    };
    Object.assign(this.parts.shared.session ?? {}, { batch });
    hands.push(this);
  }

  /** The names of the commands that are sent now. */
  async names(): Promise<string[]> {
    return (await this.parts.settle()).map(([name]) => name);
  }

  /** A request came, and its handler answered. */
  answers(source = "b"): void {
    const { router, responder } = this.parts.shared;
    router.route(entryOf("4-0", fieldsOf(ID, source, "web")), 1, this.parts.now);
    const [held] = responder.all();
    assert.ok(held !== undefined);
    Object.assign(held, { state: "answering", answer: { status: "fulfilled", content: "8" } });
    this.parts.shared.writer.answer(held);
  }

  private reply(command: Command): Reply {
    const [name] = command;
    if (name === "MULTI") this.queued = [];
    if (name === "EXEC" || this.queued === undefined) {
      const all = this.queued ?? null;
      this.queued = undefined;
      return name === "EXEC" ? all : this.done(command);
    }
    if (name !== "MULTI") this.queued.push(this.done(command));
    return Buffer.from("QUEUED");
  }

  private done([name]: Command): Reply {
    return name === "XADD" ? Buffer.from("9-0") : name === "XREADGROUP" ? (this.brings.shift() ?? null) : 1;
  }
}

const noperm = (name: string) => faultOf(`NOPERM this user has no permissions to run the '${name}' command`);
const QUEUED = Buffer.from("QUEUED");
const OK = Buffer.from("OK");
const ABORT = faultOf("EXECABORT Transaction discarded because of previous errors.");

describe("an endpoint reads what it writes", () => {
  test("a request is read with its write, and acknowledged", async () => {
    const hand = new Hand();
    hand.brings.push(readOf(row("9-0", fieldsOf(ID, "web", "b", "pending", "a1b2c3"))));
    hand.parts.send();
    const sent = await hand.parts.settle();
    assert.deepEqual(sent.slice(0, 4).map(([name]) => name), ["MULTI", "XADD", "XREADGROUP", "EXEC"]);
    assert.deepEqual(sent[2], ["XREADGROUP", "GROUP", "web", "dispatcher_a1b2c3_0", "COUNT", 128, "STREAMS", "s", ">"]);
    assert.ok(hand.parts.shared.writer.isSettling("9-0") || sent[4]?.[0] === "XACK");
    assert.equal(hand.parts.shared.requester.ledger.all()[0]?.entryId, "9-0");
    assert.equal(hand.reader.lastRead, "9-0");
  });

  test("the read takes requests and responses of others as any read does", async () => {
    const hand = new Hand();
    hand.parts.send();
    await hand.parts.settle();
    const [first] = hand.parts.shared.requester.ledger.all();
    assert.ok(first !== undefined);
    hand.brings.push(readOf(row("10-0", fieldsOf(first.id, "b", "web", "fulfilled", "a1b2c3")), row("11-0", fieldsOf(ID, "b", "web"))));
    hand.parts.send();
    await hand.parts.settle();
    assert.deepEqual(hand.parts.outcomes.map(({ status }) => status), ["fulfilled"]);
    assert.deepEqual(hand.parts.started, ["11-0"]);
    assert.ok(hand.reader.hasRouted("11-0"), "its own list may still name it");
  });

  test("an answer reads its own entry, too", async () => {
    const hand = new Hand();
    hand.answers();
    hand.brings.push(readOf(row("11-0", fieldsOf(ID, "b", "web"))));
    assert.deepEqual(await hand.names(), ["MULTI", "XADD", "XACK", "XDEL", "XREADGROUP", "EXEC"]);
    assert.deepEqual(hand.parts.started, ["4-0", "11-0"]);
    assert.equal(hand.parts.shared.counts.fulfilled, 1);
  });

  test("what is for its own group is left to whoever reads first", async () => {
    const hand = new Hand();
    hand.parts.send("web");
    assert.deepEqual(await hand.names(), ["XADD"]);
    hand.answers("web");
    assert.deepEqual(await hand.names(), ["MULTI", "XADD", "XACK", "XDEL", "EXEC"]);
  });

  test("a large content is not read back over the connection for writing", async () => {
    const hand = new Hand();
    void hand.parts.shared.requester.send("b", "x".repeat(100_000), 60_000, undefined);
    assert.deepEqual(await hand.names(), ["XADD"]);
  });

  test("an answer whose write broke the connection leaves without a read", async () => {
    const hand = new Hand();
    hand.answers();
    for (const held of hand.parts.shared.responder.all()) held.attempts = 1;
    assert.deepEqual(await hand.names(), ["MULTI", "XADD", "XACK", "XDEL", "EXEC"]);
  });

  test("an error reply stays with its request, and the others are written again", async () => {
    const hand = new Hand();
    hand.script.push([OK, faultOf("OOM command not allowed"), QUEUED, QUEUED, ABORT]);
    hand.parts.send("b");
    hand.parts.send("c");
    const [bad, good] = hand.parts.shared.requester.ledger.all();
    const sent = await hand.parts.settle();
    assert.deepEqual(sent.map(([name]) => name), ["MULTI", "XADD", "XADD", "XREADGROUP", "EXEC", "MULTI", "XADD", "XADD", "XREADGROUP", "EXEC"]);
    assert.equal(bad?.refusal, "OOM command not allowed");
    assert.equal(good?.refusal, undefined);
    hand.script.push([OK, faultOf("ERR too large"), QUEUED, QUEUED, ABORT]);
    hand.parts.send("d");
    hand.parts.send("e");
    const again = await hand.parts.settle();
    assert.deepEqual(again.filter(([name]) => name === "XADD").map((command) => command[15]), ["d", "e", "e"]);
    assert.deepEqual(hand.parts.outcomes.map(({ status }) => status), ["failed"]);
  });

  test("memory that ran out as the transaction ended fails no request", async () => {
    const hand = new Hand();
    hand.script.push([OK, QUEUED, QUEUED, faultOf("EXECABORT Transaction discarded because of: OOM command not allowed")]);
    hand.parts.send();
    assert.deepEqual(await hand.names(), ["MULTI", "XADD", "XREADGROUP", "EXEC", "MULTI", "XADD", "XREADGROUP", "EXEC"]);
    assert.deepEqual(hand.parts.outcomes, []);
  });

  for (const what of ["request", "answer"]) {
    test(`where the read is refused, the ${what} is written again without it`, async () => {
      const hand = new Hand();
      const queued = what === "request" ? [QUEUED] : [QUEUED, QUEUED, QUEUED];
      hand.script.push([OK, ...queued, noperm("xreadgroup"), ABORT]);
      if (what === "request") hand.parts.send();
      else hand.answers();
      const names = await hand.names();
      assert.equal(names.filter((name) => name === "XADD").length, 2);
      assert.equal(names.filter((name) => name === "XREADGROUP").length, 1);
    });
  }

  test("where the read is refused for a while, an answer stays to be written, and the connection stays", async () => {
    const hand = new Hand();
    let broken = 0;
    Object.assign(hand.parts.shared.session ?? {}, { break: () => broken++ });
    hand.script.push([OK, QUEUED, QUEUED, QUEUED, faultOf("MISCONF no snapshots"), ABORT]);
    hand.answers();
    assert.deepEqual((await hand.names()).filter((name) => name === "XADD" || name === "XREADGROUP"), ["XADD", "XREADGROUP", "XADD", "XREADGROUP"]);
    assert.deepEqual([broken, hand.parts.shared.counts.fulfilled], [0, 1]);
  });

  test("after a read that failed, its own list is looked at before the next one (RIPC-RECOV-3)", async () => {
    const hand = new Hand();
    hand.script.push([OK, QUEUED, QUEUED, [Buffer.from("9-0"), faultOf("NOGROUP no group")]]);
    hand.parts.send();
    await hand.parts.settle();
    hand.parts.send();
    assert.deepEqual(await hand.names(), ["XADD"]);
  });

  test("where MULTI is refused, each command counts for itself", async () => {
    const hand = new Hand();
    hand.script.push([noperm("multi"), Buffer.from("9-0"), readOf(row("9-0", fieldsOf(ID, "web", "b"))), faultOf("ERR EXEC without MULTI")]);
    hand.parts.send();
    assert.deepEqual((await hand.names()).slice(0, 4), ["MULTI", "XADD", "XREADGROUP", "EXEC"]);
    assert.equal(hand.parts.shared.requester.ledger.all()[0]?.entryId, "9-0");
    assert.equal(hand.reader.lastRead, "9-0");
    hand.parts.send();
    assert.deepEqual((await hand.names()).filter((name) => name !== "XACK"), ["XADD"]);
  });

  test("a batch whose replies got lost is unsure, however many of them came, and is followed by a late look at its own list", async () => {
    const lost = new RedisFault("lost", "cut");
    for (const came of [[], [OK], [OK, QUEUED], [OK, QUEUED, QUEUED]]) {
      const hand = new Hand();
      const replies = [lost, lost, lost, lost].map((fault, i) => came[i] ?? fault);
      hand.script.push(replies);
      hand.parts.send();
      await hand.parts.settle();
      assert.equal(hand.parts.shared.requester.ledger.all()[0]?.state, "unsure");
      assert.equal(hand.reader.looks.first, hand.parts.now + 4200);
    }
    const hand = new Hand();
    hand.script.push([0, 1, 2, 3].map(() => new RedisFault("unsent", "closed")));
    hand.parts.send();
    await hand.parts.settle();
    assert.equal(hand.reader.looks.first, undefined, "nothing was sent");
  });

  test("with siblings no more is read than was written", async () => {
    const hand = new Hand();
    Object.defineProperty(hand.parts.shared.siblings, "present", { value: true });
    hand.parts.send();
    hand.parts.send();
    const sent = await hand.parts.settle();
    assert.equal(sent.find(([name]) => name === "XREADGROUP")?.[5], 2);
  });

  test("nothing is read where the reader may not read either", async () => {
    const rows: readonly ((hand: Hand) => void)[] = [
      ({ parts }) => { parts.shared.pauses.right("read").refused(parts.now); },
      ({ parts }) => { parts.shared.pauses.writes.refused(parts.now); parts.now += 1000; },
      ({ reader }) => void reader.stop(),
      ({ parts }) => { parts.shared.singly = true; },
    ];
    for (const forbid of rows) {
      const hand = new Hand();
      forbid(hand);
      hand.parts.send();
      assert.deepEqual(await hand.names(), ["XADD"]);
    }
  });

  test("a request that comes so is started as given to us when it was stored, not before the batch was sent", () => {
    const hand = new Hand();
    const { shared } = hand.parts;
    Object.assign(shared.session ?? {}, { clockOffset: 0 });
    const kept: number[] = [];
    shared.router.route = (entry, _starts, keptAt) => { if ((entry as Request).kind === "request") kept.push(keptAt); };
    const at = hand.parts.now;
    hand.reader.receive([entryOf(`${at - 500}-0`, fieldsOf(ID, "b", "web")), entryOf(`${at + 300}-0`, fieldsOf(ID, "b", "web"))], at - 100);
    assert.deepEqual(kept, [at - 100, at]);
  });
});
