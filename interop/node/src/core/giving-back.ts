import * as commands from "../wire/commands.js";
import { isFault } from "../wire/faults.js";
import type { Held } from "./held.js";
import type { Hub } from "./hub.js";
import { splitLate } from "./late-claim.js";
import { keepOurs } from "./ownership.js";

/** Gives back what cannot be started here; many at a time travel together (RIPC-GROUP-23, 24). */
export class GivingBack {
  private waiting: Held[] = [];

  constructor(private readonly hub: Hub) {}

  /** Whether an entry waits to be given back: only Redis does not know yet. */
  has(entryId: string): boolean {
    return this.waiting.some((held) => held.entryId === entryId);
  }

  add(held: Held): void {
    this.waiting.push(held);
    if (this.waiting.length === 1) setImmediate(() => void this.hub.attempt(() => this.flush()));
  }

  /** The connection was lost: another member may run by then what is given back later (RIPC-RECOV-18). */
  clear(): void {
    this.waiting = [];
  }

  /** What was not claimed for long may be another member's by now, and is looked at first (RIPC-GROUP-11). */
  private async flush(): Promise<void> {
    const { hub } = this;
    const some = this.waiting.splice(0);
    const [ready, late] = splitLate(hub, some);
    const sent = ready.length > 0 ? this.give(ready) : undefined;
    if (late.length > 0) {
      const ours = await keepOurs(hub, late, true);
      if (ours.length > 0) await this.give(ours);
    }
    await sent;
  }

  private async give(some: Held[]): Promise<void> {
    const { names, reclaimer, wakeups, responder } = this.hub;
    const ids = some.map((held) => held.entryId);
    const [reply] = await this.hub.batch([commands.giveBack(names, ids)]);
    if (!isFault(reply)) {
      reclaimer.gaveBack();
      wakeups.wakeGroup();
      return;
    }
    // Without a reply it is not sent again: recovery finds what is still ours.
    if (reply.kind === "lost" || reply.kind === "unsent" || this.hub.closing) return;
    for (const held of some) responder.keepAfterAll(held);
  }
}
