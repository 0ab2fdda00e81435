/**
 * An endpoint reads what it writes itself inside the transaction that writes it.
 *
 * Each XADD wakes the blocked reads of all groups, that of its own writer included. That one would bring nothing but the writer's own
 * entry, and a new read would have to be sent. A read of new entries that stands in the same transaction takes the entry before the
 * blocked read sees it. It may take other new entries as well: they are received like those of any read.
 */
import * as commands from "../wire/commands.js";
import type { Command } from "../wire/commands.js";
import type { OwnEntriesPort, SharedWith } from "./ports.js";
import { type Beside, Transaction } from "./transaction.js";

/** Bytes of contents from which on a wake-up costs less than reading them where they are written. */
const MOST_BYTES = 64 << 10;

export class OwnEntries implements OwnEntriesPort {
  /** Set by the reader. */
  beside: Beside = { count: () => 0, receive: () => undefined, failed: () => undefined };
  private allowed = true;

  constructor(private readonly shared: SharedWith<"siblings">) {}

  /**
   * One transaction of `lines`, which write `written` entries for other groups, and of the read. Undefined where the blocked read is to take
   * them. `size`: bytes of their contents.
   */
  wrap(lines: readonly Command[], written: number, size: number): Transaction | undefined {
    const { shared } = this;
    if (!this.allowed || shared.singly || size > MOST_BYTES) return undefined;
    const may = this.beside.count();
    // The blocked read may bring as much as can start. What others wait for is theirs.
    const count = shared.siblings.present ? Math.min(may, written) : may;
    if (count === 0) return undefined;
    const read = commands.readNow(shared.names, count);
    return new Transaction([["MULTI"], ...lines, read, ["EXEC"]], this.beside, shared.now(), () => (this.allowed = false));
  }
}
