import * as commands from "../wire/commands.js";
import { isFault } from "../wire/faults.js";
import type { Held } from "./held.js";
import type { SharedWith } from "./ports.js";
import { splitLate } from "./late-claim.js";
import { keepOurs } from "./ownership.js";

/** After a refusal of Redis it is tried again, in ms. */
const GIVE_BACK_AGAIN_MS = 500;

/** Gives back what cannot be started here; many at a time travel together (RIPC-GROUP-23, 24). */
export class GivingBack {
  private waiting: Held[] = [];

  constructor(private readonly shared: SharedWith<"writer" | "responder" | "reclaimer" | "wakeups">) {}

  /** Whether an entry waits to be given back: only Redis does not know yet. */
  has(entryId: string): boolean {
    return this.waiting.some((held) => held.entryId === entryId);
  }

  add(held: Held): void {
    this.waiting.push(held);
    if (this.waiting.length === 1) setImmediate(() => void this.shared.attempt(() => this.flush()));
  }

  /** The connection was lost: another member may run by then what is given back later (RIPC-RECOV-18). */
  clear(): void {
    this.waiting = [];
  }

  /** What was not claimed for long may be another member's by now, and is looked at first (RIPC-GROUP-11). */
  private async flush(): Promise<void> {
    const { shared } = this;
    const some = this.waiting.splice(0);
    const [ready, late] = splitLate(shared, some);
    const sent = ready.length > 0 ? this.give(ready) : undefined;
    if (late.length > 0) {
      const ours = await keepOurs(shared, late, true);
      if (ours.length > 0) await this.give(ours);
    }
    await sent;
  }

  private async give(some: Held[]): Promise<void> {
    const { names, reclaimer, wakeups, responder } = this.shared;
    const ids = some.map((held) => held.entryId);
    const [reply] = await this.shared.batch([commands.giveBack(names, ids)]);
    if (!isFault(reply)) {
      reclaimer.gaveBack();
      wakeups.wakeGroup();
      return;
    }
    // Without a reply it is not sent again: recovery finds what is still ours.
    if (reply.kind === "lost" || reply.kind === "unsent" || this.shared.closing) return;
    if (reply.kind === "no-writes") this.again(some);
    else for (const held of some) responder.keepAfterAll(held);
  }

  /** Redis takes no writes: it stays to be given back, since it cannot start here (RIPC-GROUP-23, RIPC-RECOV-26). */
  private again(some: Held[]): void {
    this.waiting.push(...some);
    setTimeout(() => void this.shared.attempt(() => this.flush()), GIVE_BACK_AGAIN_MS);
  }
}
