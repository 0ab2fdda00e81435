import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { type Action, actionFor } from "../src/core/routing.js";
import { entryOf } from "../src/wire/entry.js";
import { loadTable } from "./tables.js";

interface Table {
  readonly rows: readonly {
    readonly id: string;
    readonly action: string;
    readonly entries: readonly { readonly about: string; readonly fields: readonly (readonly [string, string])[] | null }[];
  }[];
}

const self = { group: Buffer.from("web"), instance: Buffer.from("a1b2c3"), waitsFor: (id: Buffer) => id.toString() === "0123456789abcdef01234" };
const NAMES: Readonly<Record<string, string>> = { "{group}": "web", "{instance}": "a1b2c3", "{ledger}": "0123456789abcdef01234" };
/** Whether an instance is registered is asked later: one action stands for two of the table. */
const ACTIONS: Readonly<Record<string, Action>> = { "settle-after-grace": "hand-over" };

describe("each row of the routing table", () => {
  for (const row of (loadTable("routing") as Table).rows) {
    for (const { about, fields } of row.entries) {
      test(`${row.id}: ${about}`, () => {
        const flat = fields?.flat().map((text) => Buffer.from(NAMES[text] ?? text)) ?? null;
        assert.equal(actionFor(entryOf("1-0", flat), self), ACTIONS[row.action] ?? row.action);
      });
    }
  }
});
