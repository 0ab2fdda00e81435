import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";

import type { Answer, Held } from "../src/core/held.js";
import type { Send } from "../src/core/ledger.js";
import { entryOf } from "../src/wire/entry.js";
import { RedisFault, faultOf } from "../src/wire/faults.js";
import type { Reply } from "../src/wire/replies.js";
import { Parts } from "./parts.js";
import { machine } from "./tables.js";

const TIMEOUT_MS = 5000;
const lost = new RedisFault("lost", "the connection broke");

/** A send, what Redis is asked about it, and the answers when the test gives them. */
class Sent {
  readonly parts = new Parts({ wakeups: false });
  readonly send: Send;
  readonly controller = new AbortController();
  stored!: (reply: Reply) => void;
  looked!: (reply: Reply) => void;
  mayAdd = false;

  constructor() {
    const { parts } = this;
    parts.replies.set("XADD", new Promise((resolve) => (this.stored = resolve)));
    parts.replies.set("XRANGE", new Promise((resolve) => (this.looked = resolve)));
    parts.replies.set("XINFO STREAM", faultOf("NOPERM"));
    parts.replies.set("XINFO GROUPS", []);
    parts.shared.registration.mayAddIn = () => (this.mayAdd ? 0 : 60_000);
    parts.send("b", TIMEOUT_MS, this.controller.signal);
    this.send = parts.shared.requester.ledger.all()[0]!;
  }

  async pass(ms: number): Promise<void> {
    this.parts.now += ms;
    mock.timers.tick(ms);
    await new Promise(setImmediate);
  }

  write(): void {
    this.mayAdd = true;
    this.parts.shared.writer.kick();
  }

  async written(): Promise<void> {
    this.write();
    await this.parts.settle();
  }

  /** Its response is read. */
  response(): void {
    const fields = { id: this.send.id, instance_id: "a1b2c3", status: "fulfilled", content: "7", source_group: "b", destination_group: "web" };
    this.parts.shared.router.route(entryOf("11-0", Object.entries(fields).flat().map((text) => Buffer.from(text))), 1, this.parts.now);
  }
}

/** How a send comes into a state. While it is looked for, `XADD` may still be under way. */
const STATES: Readonly<Record<string, (sent: Sent, event: string) => Promise<void>>> = {
  queued: () => Promise.resolve(),
  sending: (sent) => sent.written(),
  waiting: async (sent) => {
    await sent.written();
    sent.stored(Buffer.from("9-0"));
  },
  unsure: async (sent) => {
    await sent.written();
    sent.stored(lost);
  },
  looking: async (sent, event) => {
    await sent.written();
    if (!["stored", "unknown", "not stored", "refused"].includes(event)) sent.stored(Buffer.from("9-0"));
    await sent.parts.settle();
    await sent.pass(TIMEOUT_MS);
  },
};

const EVENTS: Readonly<Record<string, (sent: Sent) => unknown>> = {
  written: (sent) => { sent.write(); },
  stored: (sent) => { sent.stored(Buffer.from("9-0")); },
  unknown: (sent) => { sent.stored(lost); },
  "not stored": (sent) => {
    sent.parts.shared.pauses.memory.refused(sent.parts.now); // as the session tells
    sent.stored(faultOf("OOM command not allowed"));
  },
  refused: (sent) => { sent.stored(faultOf("NOPERM no permissions")); },
  response: (sent) => { sent.response(); },
  "no group": async (sent) => {
    await sent.pass(500);
    await sent.parts.settle();
    await sent.pass(500);
  },
  deadline: (sent) => sent.pass(TIMEOUT_MS),
  cancel: (sent) => { sent.controller.abort(); },
  "nothing found": (sent) => { sent.looked([]); },
  limit: (sent) => sent.pass(500),
  "connection lost": (sent) => { sent.looked(lost); },
};

/** The commands that an event is followed by, and how the send has ended then. */
const REQUESTER: Readonly<Record<string, readonly [commands: string, outcome?: string]>> = {
  "queued-written": ["XADD"],
  "sending-stored": [""],
  "sending-unknown": [""],
  "sending-not-stored": [""],
  "sending-response": ["XACK 11-0, XDEL 11-0", "fulfilled"],
  "waiting-response": ["XACK 11-0, XDEL 11-0", "fulfilled"],
  "waiting-no-group": ["XDEL 9-0", "no-responders"],
  "unsure-response": ["XACK 11-0, XDEL 11-0", "fulfilled"],
  "queued-deadline": ["", "timeout"],
  "sending-deadline": ["XRANGE (0-0, XINFO"],
  "waiting-deadline": ["XDEL 9-0, XRANGE (9-0"],
  "unsure-deadline": ["XRANGE (0-0, XINFO"],
  "looking-stored": [""],
  "looking-unknown": [""],
  "looking-not-stored": ["", "timeout"],
  "looking-response": ["XACK 11-0, XDEL 11-0", "fulfilled"],
  "looking-nothing-found": ["", "timeout"],
  "queued-cancel": ["", "cancelled"],
  "sending-cancel": ["", "cancelled"],
  "waiting-cancel": ["XDEL 9-0", "cancelled"],
  "unsure-cancel": ["XRANGE (0-0, XINFO", "cancelled"],
  "looking-cancel": ["", "cancelled"],
  "sending-refused": ["", "failed"],
  "looking-refused": ["", "failed"],
  "looking-limit": ["", "timeout"],
  "looking-connection-lost": ["", "timeout"],
};
/** Here the send ends with the look that is under way: no command and no outcome tells the difference. */
const ENDS_WITH_THE_LOOK = new Set(["looking-not-stored"]);

describe("each row of the requester's states", () => {
  for (const { id, from, event, to } of machine("requester")) {
    test(`${id}: ${REQUESTER[id]?.join(": ") ?? "nothing is said about it"}`, async () => {
      mock.timers.enable({ apis: ["setTimeout"] });
      try {
        const sent = new Sent();
        await STATES[from]?.(sent, event);
        await sent.parts.settle();
        assert.equal(sent.send.state, from);
        await EVENTS[event]?.(sent);
        if (ENDS_WITH_THE_LOOK.has(id)) sent.looked([]);
        const commands = (await sent.parts.settle()).filter(([name, what]) => !(name === "XINFO" && (what === "GROUPS" || what === "CONSUMERS")) && name !== "XPENDING");
        const told = commands.map(([name, ...rest]) => [name, ...rest.filter((item) => /^\(?\d+-\d+$/.test(String(item)))].join(" ")).join(", ");
        assert.equal(sent.send.state, to);
        assert.deepEqual([told, sent.parts.outcomes.map(({ status }) => status).join()], [REQUESTER[id]?.[0], REQUESTER[id]?.[1] ?? ""]);
      } finally {
        mock.timers.reset();
      }
    });
  }

  test("there are rows", () => {
    assert.ok(machine("requester").length > 20);
  });
});

const BODY = ["id", "9f86d081884c7d659a2fe", "instance_id", "51b110", "status", "pending", "content", "1", "source_group", "peers", "destination_group", "web"].map((text) => Buffer.from(text));
const OWN: Reply = [[Buffer.from("5-0"), Buffer.from("dispatcher_a1b2c3_0"), 0, 1]];
const THERE: Reply = [[Buffer.from("5-0"), BODY]];

/** A request in an instance that runs one at a time, and another one that runs before it where it is to wait. */
class Given {
  readonly ends = new Map<string, (answer: Answer | undefined) => void>();
  readonly parts: Parts;
  held!: Held;
  written!: (exec: Reply) => void;
  looked!: (body: Reply) => void;

  constructor(queueLimit = 1000) {
    const serve = (held: Held) => new Promise<Answer | undefined>((resolve) => this.ends.set(held.entryId, resolve));
    this.parts = new Parts({ wakeups: false, concurrency: 1, queueLimit }, serve);
    const { replies } = this.parts;
    replies.set("EXEC", new Promise((resolve) => (this.written = resolve)));
    replies.set("XRANGE s 5-0", new Promise((resolve) => (this.looked = resolve)));
    replies.set("XPENDING s web 5-0", OWN);
    replies.set("XINFO CONSUMERS", []);
    replies.set("XCLAIM", [Buffer.from("5-0")]);
  }

  give(entryId: string): void {
    this.parts.shared.router.route(entryOf(entryId, BODY), 1, this.parts.now);
    this.held = this.parts.shared.responder.all().find((held) => held.entryId === entryId) ?? this.held;
  }

  /** It waits behind another one. */
  queued(): void {
    this.give("1-0");
    this.give("5-0");
  }

  /** The one before it ends. */
  free(): void {
    this.ends.get("1-0")?.(undefined);
  }

  answer(): void {
    this.ends.get("5-0")?.({ status: "fulfilled", content: "7" });
  }

  siblingComes(): void {
    const { siblings, responder } = this.parts.shared;
    siblings.learn(Buffer.from("51b110"), [Buffer.from("consumer_51b110_0")], null);
    responder.siblingsCame();
  }
}

const GIVEN: Readonly<Record<string, (given: Given) => Promise<unknown>>> = {
  queued: (given) => {
    given.queued();
    return Promise.resolve();
  },
  checking: async (given) => {
    given.queued();
    given.parts.now += 1001;
    given.free();
    await given.parts.settle();
  },
  running: (given) => {
    given.give("5-0");
    return given.parts.settle();
  },
  answering: async (given) => {
    await GIVEN.running?.(given);
    given.answer();
  },
  unsure: async (given) => {
    await GIVEN.answering?.(given);
    await given.parts.settle();
    given.written(lost);
  },
};

const LOST = (given: Given) => { given.parts.shared.responder.lost(given.held, "gone"); };
const RESPONDER: Readonly<Record<string, readonly [event: (given: Given) => unknown, commands: string]>> = {
  "queued-start": [(given) => { given.free(); }, "XACK 1-0, XDEL 1-0"],
  "queued-check": [(given) => { given.parts.now += 1001; given.free(); }, "XPENDING 5-0 5-0, XRANGE 5-0 5-0, XACK 1-0, XDEL 1-0"],
  "queued-give-back": [(given) => { given.siblingComes(); }, "XCLAIM 315360000000 5-0"],
  "queued-overload": [() => undefined, "XINFO, MULTI, XADD, XACK 5-0, XDEL 5-0, EXEC"],
  "queued-gone": [LOST, ""],
  "checking-exists": [(given) => { given.looked(THERE); }, ""],
  "checking-gone": [(given) => { given.looked([]); }, "XACK 5-0"],
  "checking-not-known": [(given) => { given.looked(lost); given.parts.shared.live = false; }, ""],
  "checking-give-back": [(given) => { given.parts.shared.closing = true; given.looked(THERE); }, "XCLAIM 315360000000 5-0"],
  "running-answer": [(given) => { given.answer(); }, "MULTI, XADD, XACK 5-0, XDEL 5-0, EXEC"],
  "running-gone": [(given) => given.ends.get("5-0")?.(undefined), "XACK 5-0, XDEL 5-0"],
  "answering-answered": [(given) => { given.written([Buffer.from("9-0"), 1, 1]); }, ""],
  "answering-not-answered": [
    (given) => {
      given.parts.shared.pauses.memory.refused(given.parts.now); // as the session tells
      given.written(faultOf("EXECABORT Transaction discarded because of: OOM command not allowed"));
    },
    "",
  ],
  "answering-unknown": [(given) => { given.written(lost); }, ""],
  "answering-gone": [LOST, ""],
  "unsure-still-pending": [
    (given) => {
      given.parts.replies.set("EXEC", new Promise(() => undefined));
      given.looked(THERE);
      return given.parts.shared.responder.settleUnsure();
    },
    "XPENDING 5-0 5-0, XRANGE 5-0 5-0, XCLAIM 0 5-0, MULTI, XADD, XACK 5-0, XDEL 5-0, EXEC",
  ],
  "unsure-gone": [
    (given) => {
      given.looked([]);
      return given.parts.shared.responder.settleUnsure();
    },
    "XPENDING 5-0 5-0, XRANGE 5-0 5-0, XACK 5-0",
  ],
};

describe("each row of the responder's states", () => {
  for (const { id, from, to } of machine("responder")) {
    const [event, expected] = RESPONDER[id] ?? [];
    test(`${id}: ${expected ?? "nothing is said about it"}`, async () => {
      const given = new Given(id === "queued-overload" ? 0 : 1000);
      await GIVEN[from]?.(given);
      if (from !== "queued") await given.parts.settle();
      assert.equal(given.held.state, from);
      await event?.(given);
      const commands = await given.parts.settle();
      const told = commands.map(([name, ...rest]) => [name, ...rest.filter((item) => /^\d+-\d+$/.test(String(item)) || (name === "XCLAIM" && typeof item === "number"))].join(" "));
      assert.equal(given.held.state, to);
      const shown = told.join(", ").replace("XCLAIM 0 5-0 315360000000", "XCLAIM 315360000000 5-0");
      assert.equal(shown, expected);
    });
  }

  test("there are rows", () => {
    assert.ok(machine("responder").length > 15);
  });
});
