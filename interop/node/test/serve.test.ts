import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, test } from "node:test";

import { readChannelRequest } from "../src/channel-request.js";
import { decodeContent } from "../src/content/content.js";
import { type Answer, Held } from "../src/core/held.js";
import { type Problem, Reporter } from "../src/events.js";
import type { ExposeErrors } from "../src/index.js";
import { NO_ANSWER, Rejection } from "../src/index.js";
import { LONGEST_REASON } from "../src/reasons.js";
import { serveWith } from "../src/serve.js";
import { type Request, entryOf } from "../src/wire/entry.js";
import { loadTable } from "./tables.js";

function held(): Held {
  const fields = { id: "9f86d081884c7d659a2fe", instance_id: "51b110", status: "pending", content: "1", source_group: "web", destination_group: "b" };
  return new Held(entryOf("5-0", Object.entries(fields).flat().map((text) => Buffer.from(text))) as Request, 1, 0);
}

async function served(handler: () => unknown, expose: ExposeErrors = "text"): Promise<{ answer: Answer | undefined; problems: Problem[] }> {
  const reporter = new Reporter();
  const problems: Problem[] = [];
  reporter.on("problem", (problem) => problems.push(problem));
  return { answer: await serveWith(handler, () => reporter, expose)(held(), () => undefined), problems };
}

/** As its requester reads it. */
const reasonIn = ({ content }: Answer) => decodeContent(Buffer.from(content)) as string;

const hostile = (error: object) => new Proxy(error, { get: () => { throw new Error("get"); }, getPrototypeOf: () => { throw new Error("trap"); } });

/** What a handler may throw, and how the reason begins. */
const THROWN: Readonly<Record<string, readonly [thrown: unknown, reason: string]>> = {
  "an error with a text": [new RangeError("out of range"), "handler_failed: RangeError: out of range"],
  "an error without one": [new RangeError(""), "handler_failed: RangeError"],
  "a text": ["no", "handler_failed: a value of the type string was thrown: no"],
  undefined: [undefined, "handler_failed: a value of the type undefined was thrown"],
  "a number": [7, "handler_failed: a value of the type number was thrown"],
  "an error whose text is no text": [Object.assign(new Error("x"), { message: 7 }), "handler_failed: Error"],
  "half a surrogate pair": [new Error("\ud800"), "handler_failed: its text is not valid Unicode"],
  "an error that cannot be read": [hostile(new Error("x")), "handler_failed: what was thrown cannot be read"],
  "a Proxy that refuses all": [hostile(Object.create(null) as object), "handler_failed: what was thrown cannot be read"],
  null: [null, "handler_failed: a value of the type object was thrown"],
  "a symbol": [Symbol("s"), "handler_failed: a value of the type symbol was thrown"],
  "an error with a name that throws": [Object.defineProperty(new Error(""), "name", { get: () => { throw new Error("name"); } }), "handler_failed: what was thrown"],
};

describe("what a handler throws", () => {
  for (const [about, [thrown, reason]] of Object.entries(THROWN)) {
    for (const [how, handler] of Object.entries({
      "at once": () => { throw thrown; },
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      later: () => Promise.reject(thrown),
    })) {
      test(`${about}, ${how}, is answered and reported`, async () => {
        const { answer, problems } = await served(handler);
        assert.equal(answer?.status, "rejected");
        assert.ok(reasonIn(answer).startsWith(reason), answer.content);
        assert.deepEqual(problems.map(({ kind, cause }) => [kind, cause === thrown]), [["handler", true]]);
      });
    }
  }

  test("has a bound on the wire, and no half of a pair at its end", async () => {
    const { answer } = await served(() => { throw new Error(`${"x".repeat(LONGEST_REASON - 1)}😀 and more`); });
    assert.equal(answer?.content, `handler_failed: Error: ${"x".repeat(LONGEST_REASON - 1)}… (${LONGEST_REASON + 10} characters)`);
  });

  for (const [expose, reason] of [["type", "handler_failed: RangeError; request 9f86d081884c7d659a2fe"], ["none", "handler_failed: request 9f86d081884c7d659a2fe"]] as const) {
    test(`tells its requester no text with exposeErrors ${expose}, and the problem all`, async () => {
      const thrown = new RangeError("password=hunter2");
      const { answer, problems } = await served(() => { throw thrown; }, expose);
      assert.equal(answer?.content, reason);
      assert.equal(problems[0]?.cause, thrown);
    });
  }

  test("a Rejection is no failure", async () => {
    const { answer, problems } = await served(() => { throw new Rejection({ why: 1 }); });
    assert.deepEqual([answer, problems], [{ status: "rejected", content: '{"why":1}' }, []]);
  });

  test("a value that JSON cannot say is rejected as not encodable (RIPC-RESP-7)", async () => {
    for (const value of [NaN, [new Map()], "\ud800", () => 1, { toJSON: () => { throw new Error("own"); } }]) {
      const { answer, problems } = await served(() => value);
      assert.equal(answer?.status, "rejected");
      assert.match(reasonIn(answer), /^not_encodable: ./);
      assert.equal(problems.length, 1);
    }
  });

  for (const [about, thenable] of Object.entries({
    "is rejected": { then: (_: unknown, reject: (reason: unknown) => void) => { reject(null); } },
    "throws when it is asked for": { get then(): never { throw new Error("get"); } },
    "throws when it is called": { then: () => { throw new Error("call"); } },
  })) {
    test(`a thenable that ${about} is a failure`, async () => {
      const { answer, problems } = await served(() => thenable);
      assert.match(reasonIn(answer!), /^handler_failed: /);
      assert.equal(problems.length, 1);
    });
  }

  test("NO_ANSWER is none", async () => {
    assert.equal((await served(() => NO_ANSWER)).answer, undefined);
  });
});

describe("the context of a handler", () => {
  test("is that of its registration, also after it waited", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const serve = storage.run("registered", () =>
      serveWith(async () => {
        seen.push(storage.getStore());
        await new Promise(setImmediate);
        seen.push(storage.getStore());
      }, () => new Reporter()),
    );
    await storage.run("whoever caused the read", () => serve(held(), () => undefined));
    assert.deepEqual(seen, ["registered", "registered"]);
  });

  test("is its own: what one request enters, no other one sees", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const serve = storage.run("registered", () =>
      serveWith((request) => {
        seen.push(storage.getStore());
        storage.enterWith(request.id);
      }, () => new Reporter()),
    );
    for (let i = 0; i < 3; i++) await serve(held(), () => undefined);
    assert.deepEqual(seen, ["registered", "registered", "registered"]);
    assert.equal(storage.getStore(), undefined);
  });

  test("is where its signal's listeners run", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const request = held();
    const serve = storage.run("registered", () =>
      serveWith(({ signal }) => {
        storage.enterWith("of the request");
        signal.addEventListener("abort", () => seen.push(storage.getStore()));
      }, () => new Reporter()),
    );
    await serve(request, () => undefined);
    storage.run("whoever caused the read", () => {
      request.tellAborted("nobody waits");
    });
    assert.deepEqual(seen, ["of the request"]);
  });
});

describe("reasons that this port makes begin with their registered words (RIPC-RESP-22)", () => {
  const { tables } = loadTable("registries") as { tables: readonly { id: string; rows: readonly { code: string; begins: string }[] }[] };
  const begins = (tables.find(({ id }) => id === "reasons")?.rows ?? []).map((row) => row.begins);

  test("those of a channel request", () => {
    for (const content of [7, { event: 1 }, { event: "none" }, { event: "add", params: [1] }]) {
      assert.throws(() => readChannelRequest(content, (event) => event === "add"), (error: Rejection) => begins.some((begin) => error.message.startsWith(begin)));
    }
  });

  test("those of a failure", () => {
    for (const word of ["handler_failed: ", "not_encodable: "]) assert.ok(begins.includes(word));
  });
});
