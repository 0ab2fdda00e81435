import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";

import { Send } from "../src/core/ledger.js";
import type { Command } from "../src/wire/commands.js";
import { entryOf } from "../src/wire/entry.js";
import { Parts } from "./parts.js";
import { loadTable } from "./tables.js";

interface Row {
  readonly id: string;
  readonly instance: string;
  readonly action: string;
  readonly entries: readonly { readonly about: string; readonly fields: readonly (readonly [string, string])[] | null }[];
}

interface Action {
  readonly id: string;
  readonly commands: readonly string[];
  readonly local: readonly string[];
  readonly after_s?: number;
}

const LEDGER = "0123456789abcdef01234";
const NAMES: Readonly<Record<string, string>> = { "{group}": "web", "{instance}": "a1b2c3", "{ledger}": LEDGER };
const COMMANDS: Readonly<Record<string, Command>> = {
  XACK: ["XACK", "s", "web", "5-0"],
  XDEL: ["XDEL", "s", "5-0"],
  XCLAIM: ["XCLAIM", "s", "web", "consumer_51b110_0", 0, "5-0", "JUSTID"],
};
/** What is asked on the way: whether an instance is registered. */
const QUESTIONS = new Set(["LRANGE", "GET"]);

const { rows, actions } = loadTable("routing") as { rows: readonly Row[]; actions: readonly Action[] };

/** Routes an entry of the table, and gives what came of it. */
async function routed(row: Row, fields: Row["entries"][number]["fields"], after: number) {
  const parts = new Parts({ wakeups: false });
  const send = new Send(LEDGER, "b", "1", Infinity, (outcome) => parts.outcomes.push(outcome));
  send.state = "waiting";
  parts.shared.requester.ledger.add(send);
  parts.replies.set("LRANGE", row.instance === "registered" ? [Buffer.from("consumer_51b110_0")] : []);
  parts.replies.set("GET", null);
  const flat = fields?.flat().map((text) => Buffer.from(NAMES[text] ?? text)) ?? null;
  const early: Command[] = [];
  if (after > 0) mock.timers.enable({ apis: ["setTimeout"] });
  try {
    parts.shared.router.route(entryOf("5-0", flat), 1, parts.now);
    parts.shared.writer.kick(); // with the next batch, what nobody waits for
    if (after > 0) {
      early.push(...(await parts.settle()));
      parts.now += after - 1;
      mock.timers.tick(after - 1);
      early.push(...(await parts.settle()));
      parts.now += 1;
      mock.timers.tick(1);
    }
    return { parts, early: early.filter(isNoQuestion), commands: (await parts.settle()).filter(isNoQuestion) };
  } finally {
    mock.timers.reset();
  }
}

/** With names as texts, whatever they were made of. */
function readable(command: Command): Command {
  return command.map((item) => (Buffer.isBuffer(item) ? item.toString() : item)) as unknown as Command;
}

function isNoQuestion([name]: Command): boolean {
  return !QUESTIONS.has(name);
}

describe("each row of the routing table", () => {
  for (const row of rows) {
    const action = actions.find(({ id }) => id === row.action);
    test(`${row.id} has an action and an entry`, () => {
      assert.ok(action !== undefined && row.entries.length > 0);
      for (const name of action.commands) assert.ok(name in COMMANDS, name);
    });
    for (const { about, fields } of row.entries) {
      test(`${row.id}: ${about}: ${action?.commands.join(", ") ?? ""}`, async () => {
        const { commands = [], local = [], after_s = 0 } = action ?? {};
        const { parts, early, commands: sent } = await routed(row, fields, after_s * 1000);
        assert.deepEqual(early, []);
        assert.deepEqual(sent.map(readable), commands.map((name) => COMMANDS[name]));
        const seen = [
          ...(parts.started.length > 0 ? ["start"] : []),
          ...(parts.outcomes.length > 0 ? ["outcome"] : []),
          ...(parts.problems.some(({ kind }) => kind === "malformed") ? ["report"] : []),
        ];
        assert.deepEqual(seen, [...local]);
      });
    }
  }
});
