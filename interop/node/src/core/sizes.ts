import type { Entry } from "../wire/entry.js";

/** About so many bytes are asked for at once; more only if a single entry is larger. */
const REPLY_BYTES = 4 << 20;
/** About so many bytes of contents are written at once. */
export const BATCH_BYTES = 1 << 20;
const AT_FIRST = 32 << 10;
const FORGETS = 0.9;

/** How many entries are asked for at once: as many as fit into a bounded reply, by the sizes that were seen lately. */
export class Sizes {
  private typical = AT_FIRST;

  /** The largest content of one reply, in bytes. */
  saw(largest: number): void {
    this.typical = Math.max(largest, this.typical * FORGETS);
  }

  /** How many entries to ask for, `most` at most. */
  count(most: number): number {
    return Math.max(1, Math.min(most, Math.floor(REPLY_BYTES / Math.max(1, this.typical))));
  }
}

/** The largest content, in bytes. */
export function largest(entries: readonly Entry[]): number {
  return Math.max(0, ...entries.map((entry) => ("content" in entry ? entry.content.length : 0)));
}
