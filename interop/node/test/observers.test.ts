import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";

import { Caller, HandlerFailed, NO_ANSWER, NoResponders, type Observation, type Problem, Stream } from "../src/index.js";
import { Observing } from "../src/observing.js";

const ID = "9f86d081884c7d659a2fe";
const run = { request: { id: Buffer.from(ID), source: Buffer.from("web") }, starts: 1 };

describe("observing", () => {
  const made = (...observers: ((observation: Observation) => unknown)[]) => {
    const reports: string[] = [];
    const causes: unknown[] = [];
    const observing = new Observing(observers, (message, cause) => {
      reports.push(message);
      causes.push(cause);
    });
    return { observing, reports, causes };
  };

  test("an observer is called in a turn of its own, never on the way of a request", async () => {
    const seen: Observation[] = [];
    const { observing } = made((observation) => seen.push(observation));
    const sent = observing.sent(ID, "stock");
    observing.ended(sent, { status: "timeout", finding: { diagnosis: "held", text: "held by stock/51b110" } });
    assert.deepEqual(seen, []);
    await turn();
    assert.deepEqual(seen.map(({ kind, requestId, group, status, code }) => [kind, requestId, group, status, code]), [
      ["send_started", ID, "stock", undefined, undefined],
      ["send_ended", ID, "stock", "timeout", "held"],
    ]);
  });

  test("one that throws is reported once and not called again; the others go on", async () => {
    let calls = 0;
    const seen: Observation[] = [];
    const error = new Error("of the observer");
    function broken(): void {
      calls++;
      throw error;
    }
    const { observing, reports, causes } = made(broken, (observation) => seen.push(observation));
    for (let i = 0; i < 3; i++) observing.sent(ID, "stock");
    await turn();
    assert.deepEqual([calls, seen.length, reports, causes], [1, 3, ["the observer broken threw Error: of the observer; it is not called again"], [error]]);
  });

  test("so is an async one whose promise is rejected", async () => {
    const { observing, reports } = made(async () => {
      await turn();
      throw new TypeError("later");
    });
    observing.sent(ID, "stock");
    observing.sent(ID, "stock");
    for (let i = 0; i < 4; i++) await turn();
    assert.deepEqual(reports, ["the observer without a name threw TypeError: later; it is not called again"]);
  });

  test("what waits for slow observers has a bound, and what was left out is counted", async () => {
    let calls = 0;
    const { observing, reports } = made(() => calls++);
    for (let i = 0; i < 10_007; i++) observing.sent(ID, "stock");
    await turn();
    observing.sent(ID, "stock");
    await turn();
    assert.deepEqual([calls, reports], [10_001, ["7 observations were left out: the observers are too slow for them"]]);
  });

  test("a handler: redelivered, started, lost, ended, and by what code it rejected", async () => {
    const seen: Observation[] = [];
    const { observing } = made((observation) => seen.push(observation));
    const again = { ...run, starts: 2 };
    observing.lost(again, "before it started: nobody is told");
    observing.started(again);
    observing.lost(again, "its requester gave up");
    observing.done(again, { status: "rejected", content: '"handler_failed: x"' });
    observing.refused(run, "overloaded");
    await turn();
    assert.deepEqual(seen.map(({ kind, group, status, code, reason }) => [kind, group, status, code, reason]), [
      ["redelivered", "web", undefined, undefined, undefined],
      ["run_started", "web", undefined, undefined, undefined],
      ["lost", "web", undefined, undefined, "its requester gave up"],
      ["run_ended", "web", "rejected", "handler_failed", undefined],
      ["refused", "web", undefined, "overloaded", undefined],
    ]);
    assert.ok(seen.every(({ at, requestId }) => Math.abs(Date.now() - at) < 60_000 && requestId === ID));
  });

  test("it sees the context of its registration", async () => {
    const tenant = new AsyncLocalStorage<string>();
    let seen: string | undefined;
    const { observing } = tenant.run("mine", () => made(() => (seen = tenant.getStore())));
    tenant.run("a requester's", () => observing.sent(ID, "stock"));
    await turn();
    assert.equal(seen, "mine");
  });
});

const url = process.env.REDIS_URL ?? "";
const stream = `redisipc-observers-${process.pid}-${Date.now()}`;

describe("observers of endpoints", { skip: url === "" ? "REDIS_URL is not set" : false, timeout: 60_000 }, () => {
  const kinds = (seen: readonly Observation[]) => seen.map(({ kind, status, code }) => [kind, status, code].filter((part) => part !== undefined).join(" "));

  test("both sides of requests are told, and none has content", async () => {
    const asked: Observation[] = [];
    const served: Observation[] = [];
    const onRequest = ({ content }: { content: unknown }) => {
      if (content === "crash") throw new TypeError("secret");
      return content === "silent" ? NO_ANSWER : content;
    };
    const stock = await Stream.connect({ url, stream, group: "stock", onRequest, observers: [(seen) => served.push(seen)] });
    stock.on("problem", () => undefined);
    const web = await Stream.connect({ url, stream, group: "web", observers: [(seen) => asked.push(seen)] });
    assert.equal(await web.send("stock", "content"), "content");
    await assert.rejects(web.send("stock", "crash"), HandlerFailed);
    await assert.rejects(web.send("stock", "silent", { timeoutMs: 200 }));
    await assert.rejects(web.send("stok", 1), NoResponders);
    await web.close();
    await stock.close();
    await turn();
    assert.equal(asked.filter(({ kind }) => kind === "send_started").length, 4);
    const ends = kinds(asked.filter(({ kind }) => kind === "send_ended"));
    assert.match(ends.join(", "), /^send_ended fulfilled, send_ended rejected handler_failed, send_ended timeout.*, send_ended no-responders/);
    assert.deepEqual(kinds(served), ["run_started", "run_ended fulfilled", "run_started", "run_ended rejected handler_failed", "run_started", "run_ended"]);
    assert.ok(asked.filter(({ kind }) => kind === "send_ended").every(({ ms }) => ms !== undefined && ms > 0));
    assert.ok(!JSON.stringify([asked, served]).includes("content") && !JSON.stringify([asked, served]).includes("secret"));
  });

  test("an observer that throws is a problem of its endpoint, once", async () => {
    const told: Problem[] = [];
    const broken = () => {
      throw new Error("mine");
    };
    await using stock = await Stream.connect({ url, stream, group: "own", onRequest: () => 1, observers: [broken] });
    stock.on("problem", (problem) => told.push(problem));
    assert.deepEqual([await stock.send("own", 1), await stock.send("own", 2)], [1, 1]);
    await turn();
    assert.deepEqual(told.map(({ kind, message }) => [kind, message]), [["observer", "the observer broken threw Error: mine; it is not called again"]]);
  });

  test("a Caller tells its own, and warns of one that throws", async () => {
    const seen: Observation[] = [];
    await using stock = await Stream.connect({ url, stream, group: "asked", onRequest: () => 1 });
    const broken = () => {
      throw new Error("mine");
    };
    using caller = new Caller({ url, stream, observers: [broken, (observation) => seen.push(observation)] });
    const warned = once(process, "warning");
    assert.equal(await caller.send(stock.group, 1), 1);
    assert.match(String((await warned)[0]), /the observer broken threw Error: mine; it is not called again/);
    await turn();
    assert.deepEqual(kinds(seen), ["send_started", "send_ended fulfilled"]);
  });
});
