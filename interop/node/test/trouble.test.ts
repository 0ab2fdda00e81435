import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { describe, test } from "node:test";

import { AlreadyAnswered, EndpointClosed, type IncomingRequest, RequestCancelled, RequestRejected, RequestTimeout, Stream, type StreamOptions } from "../src/index.js";
import { OwnTime } from "./own-time.js";
import { Relay } from "./relay.js";

/** Lost connections, and leaving, over a real Redis. */
const url = process.env.REDIS_URL ?? "";
const stream = `redisipc-trouble-${process.pid}-${Date.now()}`;

function connect(group: string, more: Partial<StreamOptions> = {}): Promise<Stream> {
  return Stream.connect({ url, stream, group, ...more });
}

/** The next event of an endpoint. */
function next(endpoint: Stream, event: "disconnected" | "reconnected"): Promise<unknown> {
  const told = new EventEmitter();
  endpoint.on(event, (...args: unknown[]) => told.emit("told", ...args));
  return once(told, "told");
}

/** A handler that a test ends: resolved with the request that it was given. */
function held(): { onRequest: (request: IncomingRequest) => Promise<unknown>; given: Promise<IncomingRequest>; end: (value: unknown) => void } {
  let give: (request: IncomingRequest) => void = () => undefined;
  let end: (value: unknown) => void = () => undefined;
  const given = new Promise<IncomingRequest>((resolve) => (give = resolve));
  const ended = new Promise((resolve) => (end = resolve));
  const onRequest = (request: IncomingRequest) => {
    give(request);
    return ended;
  };
  return { onRequest, given, end };
}

describe("trouble", { skip: url === "" ? "REDIS_URL is not set" : false, timeout: 60_000 }, () => {
  test("a connection that is cut on both sides comes back, and a request under way is answered", async () => {
    using relay = await Relay.to(url);
    const { onRequest, given, end } = held();
    await using stock = await connect("cut-stock", { url: relay.url, onRequest });
    await using web = await connect("cut-web", { url: relay.url });
    const send = web.send(stock.group, 1);
    await given;
    const back = Promise.all([next(web, "reconnected"), next(stock, "reconnected")]);
    relay.cut();
    await back;
    end("answered");
    assert.equal(await send, "answered");
  });

  test("what is sent while Redis is away is answered when it is back", async () => {
    using relay = await Relay.to(url);
    await using stock = await connect("away-stock", { onRequest: () => "here" });
    await using web = await connect("away-web", { url: relay.url });
    const gone = next(web, "disconnected");
    relay.close();
    await gone;
    assert.equal(web.connected, false);
    const send = web.send(stock.group, 1, { timeoutMs: 20_000 });
    await assert.rejects(web.send(stock.group, 2, { timeoutMs: 50 }), RequestTimeout);
    await relay.open();
    assert.equal(await send, "here");
    assert.equal(web.connected, true);
  });

  for (const silent of [false, true]) {
    test(`close ends soon while Redis ${silent ? "is silent" : "is away"}, and nothing is connected afterwards`, async () => {
      using relay = await Relay.to(url);
      const web = await connect("leaving", { url: relay.url });
      const gone = next(web, "disconnected");
      relay.silent = silent;
      if (silent) relay.cut();
      else relay.close();
      await gone;
      let back = false;
      web.on("reconnected", () => (back = true));
      const send = web.send("nobody", 1);
      // An attempt to connect again is under way, or about to be.
      await new Promise((resolve) => setTimeout(resolve, 200));
      using own = new OwnTime();
      const before = own.now();
      await Promise.all([web.close(), assert.rejects(send, (error) => error instanceof RequestCancelled || error instanceof RequestTimeout)]);
      assert.ok(own.now() - before < 5500, "after closeTimeoutMs at the latest");
      relay.silent = false;
      if (!silent) await relay.open();
      await new Promise((resolve) => setTimeout(resolve, 500));
      assert.deepEqual([back, web.connected], [false, false]);
    });
  }

  test("a handler that close waits for may send, and nobody afterwards", async () => {
    const { onRequest, given, end } = held();
    await using other = await connect("helper", { onRequest: () => "help" });
    const stock = await connect("closing", {
      onRequest: async (request) => {
        await onRequest(request);
        return stock.send(other.group, null);
      },
    });
    const send = other.send(stock.group, 1);
    await given;
    const closing = stock.close();
    end(null);
    assert.equal(await send, "help");
    await closing;
    await assert.rejects(stock.send(other.group, 1), EndpointClosed);
  });

  test("a handler that runs for too long is told when the endpoint leaves, and its request is rejected", async () => {
    const { onRequest, given } = held();
    const first = await connect("leaver", { onRequest, closeTimeoutMs: 100 });
    await using web = await connect("web");
    const send = web.send(first.group, 1, { timeoutMs: 30_000 });
    const rejected = assert.rejects(send, (error) => error instanceof RequestRejected && error.reasonCode === "closing");
    const request = await given;
    await first.close();
    await rejected;
    assert.match((request.signal.reason as Error).message, /closed/);
    assert.throws(() => {
      request.fulfill("too late");
    }, EndpointClosed);
  });

  test("an answer after the handler has ended is one too many", async () => {
    const { onRequest, given, end } = held();
    await using stock = await connect("late", { onRequest });
    await using web = await connect("web");
    const send = web.send(stock.group, 1);
    const request = await given;
    end("first");
    assert.equal(await send, "first");
    assert.throws(() => {
      request.fulfill("second");
    }, AlreadyAnswered);
  });

  test("many sends share one signal, without a warning", async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on("warning", note);
    await using web = await connect("web");
    const controller = new AbortController();
    const sends = Array.from({ length: 20 }, () => web.send("nobody", 1, { signal: controller.signal }));
    controller.abort();
    for (const result of await Promise.allSettled(sends)) assert.ok(result.status === "rejected" && result.reason instanceof RequestCancelled);
    await new Promise(setImmediate);
    process.off("warning", note);
    assert.deepEqual(warnings, []);
  });

  test("an endpoint that was closed keeps no process alive", async () => {
    const script = `
      import { Stream } from ${JSON.stringify(new URL("../src/index.js", import.meta.url).href)};
      const options = { url: ${JSON.stringify(url)}, stream: ${JSON.stringify(stream)} };
      const one = await Stream.connect({ ...options, group: "exit", onRequest: () => 1 });
      const two = await Stream.connect({ ...options, group: "exit" });
      console.log(await two.send("exit", 1).catch((error) => error.reason));
      await Promise.all([one.close(), two.close()]);
      console.log("closed");
      let turns = 0;
      setInterval(() => turns++, 10).unref();
      process.on("exit", () => console.log(turns < 100 ? "soon" : "late"));`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
    const out: string[] = [];
    child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text));
    const [code] = (await once(child, "close")) as [number];
    assert.equal(code, 0);
    assert.match(out.join(""), /closed\nsoon\n$/);
  });
});
