import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";

import { GRACE_MS } from "../src/core/hand-over.js";
import { leave } from "../src/core/leaving.js";
import { entryOf } from "../src/wire/entry.js";
import { RedisFault, faultOf } from "../src/wire/faults.js";
import type { Reply } from "../src/wire/replies.js";
import { Parts } from "./parts.js";
import { machine } from "./tables.js";

const LIST = [Buffer.from("consumer_51b110_0")];
const FIELDS = ["id", "9f86d081884c7d659a2fe", "instance_id", "51b110", "status", "fulfilled", "content", "7", "source_group", "b", "destination_group", "web"].map((text) => Buffer.from(text));
const OWN: Reply = [[Buffer.from("5-0"), Buffer.from("dispatcher_a1b2c3_0"), 0, 1]];
const lost = new RedisFault("lost", "the connection broke");

/** A response for a sibling that was read here, and the answers of Redis when the test gives them. */
class Relayed {
  readonly parts = new Parts({ wakeups: false });
  listed!: (reply: Reply) => void;
  claimed!: (reply: Reply) => void;

  constructor() {
    const { replies } = this.parts;
    replies.set("LRANGE", () => new Promise((resolve) => (this.listed = resolve)));
    replies.set("XCLAIM s web consumer_51b110_0", () => new Promise((resolve) => (this.claimed = resolve)));
    replies.set("GET", null);
    replies.set("XINFO CONSUMERS", []);
    replies.set("XRANGE s 5-0 5-0", [[Buffer.from("5-0"), FIELDS]]);
    replies.set("XPENDING s web - + 500 dispatcher_a1b2c3_0", OWN);
    replies.set("XPENDING", []);
  }

  /** The state in the words of the table: those after the hand-over show in what was written. */
  get state(): string {
    const now = this.parts.shared.handOver.stateOf("5-0");
    const sent = this.parts.sent.map((command) => command.join(" "));
    if (sent.some((text) => text.includes("5-0 IDLE 630720000000"))) return "given back";
    if (sent.includes("XDEL s 5-0")) return "settled";
    return now ?? (this.isClaimed ? "handed over" : "read");
  }

  isClaimed = false;

  read(): void {
    this.parts.shared.router.route(entryOf("5-0", FIELDS), 1, this.parts.now);
  }

  sibling(): void {
    this.parts.shared.siblings.learn(Buffer.from("51b110"), LIST, null);
    this.parts.shared.handOver.siblingsSeen();
  }

  pass(ms: number): void {
    this.parts.now += ms;
    mock.timers.tick(ms);
  }

  /** The connection breaks: recovery finds in its own list what is still pending there. */
  breaks(): void {
    this.parts.shared.handOver.clear();
  }
}

const STATES: Readonly<Record<string, (relayed: Relayed) => Promise<void> | void>> = {
  read: () => undefined,
  asked: async (relayed) => {
    relayed.read();
    await relayed.parts.settle();
  },
  waiting: async (relayed) => {
    await STATES.asked?.(relayed);
    relayed.listed([]);
    await relayed.parts.settle();
  },
  "asked again": async (relayed) => {
    await STATES.waiting?.(relayed);
    relayed.pass(GRACE_MS);
    await relayed.parts.settle();
  },
  "handing over": async (relayed) => {
    relayed.sibling();
    relayed.read();
    await relayed.parts.settle();
  },
};

const ASK = ["LRANGE s:web:51b110:consumers 0 -1", "GET s:web:51b110:announce"];
const CLAIM = ["XCLAIM s web consumer_51b110_0 0 5-0 JUSTID"];
const SETTLE = ["XACK s web 5-0", "XDEL s 5-0"];

/** The event, and the commands that it is followed by. */
const ROWS: Readonly<Record<string, readonly [event: (relayed: Relayed) => unknown, commands: readonly string[]]>> = {
  "read-known": [(relayed) => { relayed.sibling(); relayed.read(); }, CLAIM],
  "read-ask": [(relayed) => { relayed.read(); }, ASK],
  "asked-registered": [(relayed) => { relayed.listed(LIST); }, CLAIM],
  "asked-unregistered": [(relayed) => { relayed.listed([]); }, []],
  "asked-unknown": [(relayed) => { relayed.listed(faultOf("ERR no")); }, []],
  "waiting-known": [(relayed) => { relayed.sibling(); }, CLAIM],
  "waiting-grace-over": [(relayed) => { relayed.pass(GRACE_MS); }, ASK],
  "waiting-leave-to-siblings": [
    (relayed) => {
      relayed.parts.shared.siblings.learn(Buffer.from("c0ffee"), [Buffer.from("consumer_c0ffee_0")], null);
      return leave(relayed.parts.shared, false);
    },
    ["XCLAIM s web dispatcher_a1b2c3_0 0 5-0 IDLE 630720000000 JUSTID"],
  ],
  "waiting-leave-alone": [(relayed) => leave(relayed.parts.shared, false), ["XRANGE s 5-0 5-0", ...SETTLE]],
  "asked-again-registered": [(relayed) => { relayed.listed(LIST); }, CLAIM],
  "asked-again-unregistered": [(relayed) => { relayed.listed([]); }, SETTLE],
  "asked-again-unknown": [(relayed) => { relayed.listed(faultOf("ERR no")); }, []],
  "handing-over-claimed": [(relayed) => { relayed.isClaimed = true; relayed.claimed([Buffer.from("5-0")]); }, []],
  // It was not sent, so that the entry is found again, and handed over again.
  "handing-over-not-sent": [
    async (relayed) => {
      relayed.claimed(new RedisFault("unsent", "the connection is closed"));
      relayed.breaks();
      await relayed.parts.settle();
      relayed.read();
    },
    CLAIM,
  ],
  "handing-over-unknown": [(relayed) => { relayed.claimed(lost); relayed.breaks(); }, []],
};

/** What leaving does beside it. */
const isAboutOthers = (text: string): boolean => !/ 5-0( |$)|51b110/.test(text) || text.startsWith("XPENDING");

describe("each row of the relay's states", () => {
  const rows = machine("relay");
  for (const { id, from, to } of rows) {
    const [event, expected = []] = ROWS[id] ?? [];
    test(`${id}: ${expected.join(", ")}`, async () => {
      assert.ok(event !== undefined, "nothing is said about it");
      mock.timers.enable({ apis: ["setTimeout"] });
      try {
        const relayed = new Relayed();
        await STATES[from]?.(relayed);
        await relayed.parts.settle();
        assert.equal(relayed.state, from);
        await event(relayed);
        const commands = (await relayed.parts.settle()).map((command) => command.join(" "));
        assert.deepEqual(commands.filter((text) => !isAboutOthers(text)), expected);
        assert.equal(relayed.state, to);
      } finally {
        mock.timers.reset();
      }
    });
  }

  test("a response that waits is enqueued once, however often its sibling is seen", async () => {
    const relayed = new Relayed();
    await STATES.waiting?.(relayed);
    await relayed.parts.settle();
    relayed.sibling();
    relayed.sibling();
    const commands = (await relayed.parts.settle()).map((command) => command.join(" "));
    assert.deepEqual(commands, CLAIM);
    relayed.breaks();
  });

  test("there are rows", () => {
    assert.ok(rows.length >= 15);
  });
});
