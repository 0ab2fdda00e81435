import { readFileSync } from "node:fs";
import type { FaultKind } from "../src/wire/faults.js";

/** A table of SPEC.md as data: a file of schemas/1.0/tables. */
export function loadTable(name: string): unknown {
  // From the compiled test, build/test/tables.js.
  return JSON.parse(readFileSync(new URL(`../../../../schemas/1.0/tables/${name}.json`, import.meta.url), "utf8"));
}

/** A row of a state machine. */
export interface Transition {
  readonly id: string;
  readonly from: string;
  readonly event: string;
  readonly to: string;
}

/** The rows of one machine of the table of states. */
export function machine(name: string): readonly Transition[] {
  const { machines } = loadTable("states") as { machines: readonly { id: string; transitions: readonly Transition[] }[] };
  return machines.find(({ id }) => id === name)?.transitions ?? [];
}

/** The classes of errors (section 13) in the words of this port. Without the feature `cluster` a slot that moved is an outage. */
export const KINDS: Readonly<Record<string, FaultKind>> = {
  lost: "lost",
  outage: "outage",
  moved: "outage",
  "group lost": "group-lost",
  "no memory": "no-memory",
  "no writes": "no-writes",
  permanent: "permanent",
  unknown: "unknown",
};
