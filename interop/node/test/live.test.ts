import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { describe, test } from "node:test";
import { promisify } from "node:util";

import {
  Caller,
  Channel,
  EndpointClosed,
  HandlerFailed,
  type IncomingRequest,
  NO_ANSWER,
  NoResponders,
  Rejection,
  type RequestCancelled,
  RequestRejected,
  RequestTimeout,
  Stream,
  type StreamOptions,
} from "../src/index.js";

/** A few exchanges over a real Redis, named by REDIS_URL. The conformance suite has the rest. */
const url = process.env.REDIS_URL;
const stream = `redisipc-test-${process.pid}-${Date.now()}`;

function connect(group: string, more: Partial<StreamOptions> = {}): Promise<Stream> {
  return Stream.connect({ url: url ?? "", stream, group, ...more });
}

describe("live", { skip: url === undefined ? "REDIS_URL is not set" : false }, () => {
  test("asks and answers, rejects with a reason, and says that a handler failed", async () => {
    await using stock = await connect("stock", {
      onRequest: ({ content }) => {
        if (content === "no") throw new Rejection({ why: "no" });
        if (content === "bad") throw new RangeError("out of range");
        return { got: content };
      },
    });
    await using web = await connect("web");
    const problems: unknown[] = [];
    stock.on("problem", ({ cause }) => problems.push(cause));
    assert.deepEqual(await web.send("stock", [1, 2n ** 64n]), { got: [1, 2n ** 64n] });
    await assert.rejects(web.send("stock", "no"), (error: RequestRejected) => {
      assert.deepEqual(error.reason, { why: "no" });
      return error instanceof RequestRejected;
    });
    await assert.rejects(web.send("stock", "bad"), (error) => error instanceof HandlerFailed && /: handler_failed: RangeError; request [0-9a-f]{21}$/.test(error.message));
    assert.ok(problems[0] instanceof RangeError);
  });

  test("asks without a group, and leaves nothing", async () => {
    await using stock = await connect("asked", { onRequest: ({ content, source }) => [content, source] });
    using caller = new Caller({ url: url ?? "", stream });
    const answers = await Promise.all([1, 2].map((value) => caller.send(stock.group, value)));
    assert.deepEqual(answers, [1, 2].map((value) => [value, `caller:${caller.instance}`]));
    await assert.rejects(caller.send("nobody", 1), NoResponders);
    const controller = new AbortController();
    const given = caller.send("nobody", 1, { signal: controller.signal });
    controller.abort(new Error("enough"));
    await assert.rejects(given, { code: "cancelled" });
  });

  test("a caller that nobody closed does not keep its process alive", async () => {
    await using stock = await connect("left", { onRequest: () => "served" });
    const program = `
      import { Caller } from ${JSON.stringify(new URL("../src/index.js", import.meta.url).href)};
      const caller = new Caller({ url: ${JSON.stringify(url)}, stream: ${JSON.stringify(stream)} });
      console.log(await caller.send(${JSON.stringify(stock.group)}, 1, { timeoutMs: 60_000 }));
      let turns = 0;
      setInterval(() => turns++, 10).unref();
      process.on("exit", () => console.log(turns < 500 ? "soon" : "late"));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program]);
    assert.equal(stdout, "served\nsoon\n");
  });

  test("times out, is cancelled, and tells the handler", async () => {
    let started: (request: IncomingRequest) => void = () => undefined;
    const running = new Promise<IncomingRequest>((resolve) => (started = resolve));
    await using silent = await connect("silent", {
      onRequest: async (request) => {
        if (request.content === "ignore") return NO_ANSWER;
        started(request);
        await once(request.signal, "abort");
        return null;
      },
    });
    await using web = await connect("web");
    await assert.rejects(web.send(silent.group, "ignore", { timeoutMs: 100 }), RequestTimeout);
    const controller = new AbortController();
    const send = web.send(silent.group, "wait", { signal: controller.signal });
    const request = await running;
    controller.abort(new Error("enough"));
    await assert.rejects(send, (error: RequestCancelled) => (error.cause as Error).message === "enough");
    if (!request.signal.aborted) await once(request.signal, "abort");
  });

  test("two instances of one group share its requests, and each gets its own responses", async () => {
    const answer = (request: IncomingRequest) => request.content;
    await using one = await connect("pair", { onRequest: answer });
    await using two = await connect("pair", { onRequest: answer });
    const sends = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? one : two).send("pair", i));
    assert.deepEqual(await Promise.all(sends), Array.from({ length: 40 }, (_, i) => i));
  });

  test("a channel triggers events of another one", async () => {
    await using sums = await Channel.connect({
      url: url ?? "",
      stream,
      channel: "sums",
      events: { add: { params: ["a", "b"], run: ({ a, b, ...rest }) => [Number(a) + Number(b), rest] } },
    });
    await using web = await Channel.connect({ url: url ?? "", stream, channel: "channels" });
    assert.deepEqual(await web.trigger("add", { a: 1, b: 2, c: 3 }, { target: sums.group }), [3, {}]);
    await assert.rejects(web.trigger("divide", {}, { target: sums.group }), { reason: "Unsupported event. Given divide" });
  });

  test("a channel without events leaves requests to its sibling, and rejects them when it is alone", async () => {
    const sums = await Channel.connect({
      url: url ?? "",
      stream,
      channel: "half",
      events: { twice: { params: ["a"], run: ({ a }) => 2 * Number(a) } },
    });
    await using web = await Channel.connect({ url: url ?? "", stream, channel: "half" });
    const triggers = Array.from({ length: 20 }, (_, a) => web.trigger("twice", { a }, { target: "half" }));
    assert.deepEqual(await Promise.all(triggers), Array.from({ length: 20 }, (_, a) => 2 * a));
    await sums.close();
    await using late = await Channel.connect({ url: url ?? "", stream, channel: "alone" });
    await assert.rejects(web.trigger("twice", { a: 1 }, { target: late.group }), { reason: "Unsupported event. Given twice" });
  });

  test("a handler runs only when the caller has the endpoint", async () => {
    await using web = await connect("web");
    const first = await connect("early");
    await first.close();
    const send = web.send("early", 1);
    let connected = false;
    const again = await connect("early", { onRequest: () => connected });
    connected = true;
    assert.equal(await send, true);
    await again.close();
  });

  test("after close nothing is sent", async () => {
    const web = await connect("web");
    await web.close();
    await web.close();
    await assert.rejects(web.send("stock", 1), EndpointClosed);
  });
});
