import type { Command } from "../wire/commands.js";
import * as commands from "../wire/commands.js";
import { isFault } from "../wire/faults.js";
import type { Reply } from "../wire/replies.js";
import type { Shared } from "./shared.js";

/** Entry IDs a command. */
const IDS_A_COMMAND = 500;
/** The most IDs that are kept for another attempt. */
const MOST_CLEANUP = 100_000;

export interface Step {
  readonly commands: Command[];
  readonly done: (replies: Reply[]) => void;
}

/** Acknowledgements and deletions: doing them twice does no harm, so they are repeated until Redis has done them (RIPC-RECOV-13). */
export class Cleanup {
  private readonly acks = new Set<string>();
  private readonly dels = new Set<string>();
  /** Under way. */
  private readonly settling = new Set<string>();

  constructor(private readonly shared: Shared) {}

  get size(): number {
    return this.acks.size + this.dels.size;
  }

  add(acknowledge: string | undefined, remove: string | undefined): void {
    if (acknowledge !== undefined) this.acks.add(acknowledge);
    if (remove !== undefined) this.dels.add(remove);
  }

  /** Whether an entry waits to be acknowledged: it has been dealt with. */
  has(entryId: string): boolean {
    return this.acks.has(entryId) || this.settling.has(entryId);
  }

  /** Everything that waits, in as few commands as possible. `failed`: called if Redis refused one. */
  take(failed: (name: string) => void): Step[] {
    const { names } = this.shared;
    return [
      ...this.takeFrom(this.acks, "XACK", (ids) => commands.acknowledge(names, ids), failed),
      ...this.takeFrom(this.dels, "XDEL", (ids) => commands.remove(names, ids), failed),
    ];
  }

  /** In how many ms the work that Redis refused for good is tried again. Undefined if there is none. */
  againIn(now: number): number | undefined {
    const { pauses } = this.shared;
    const waiting = [this.acks.size > 0 ? "XACK" : undefined, this.dels.size > 0 ? "XDEL" : undefined];
    const waits = waiting.flatMap((name) => (name !== undefined && pauses.lacks(name, now) ? [pauses.right(name).until - now] : []));
    return waits.length > 0 ? Math.min(...waits) : undefined;
  }

  private takeFrom(set: Set<string>, name: string, command: (ids: string[]) => Command, failed: (name: string) => void): Step[] {
    const { pauses } = this.shared;
    if (pauses.lacks(name, this.shared.now())) return [];
    const all = [...set];
    set.clear();
    const steps: Step[] = [];
    for (let i = 0; i < all.length; i += IDS_A_COMMAND) {
      const ids = all.slice(i, i + IDS_A_COMMAND);
      for (const id of ids) this.settling.add(id);
      const done = ([reply]: Reply[]) => {
        for (const id of ids) this.settling.delete(id);
        if (!isFault(reply)) {
          pauses.granted(name);
          return;
        }
        // All pending entries are lost with the group.
        if (name === "XACK" && reply.kind === "group-lost") return;
        for (const id of ids.slice(0, MOST_CLEANUP - set.size)) set.add(id);
        if (reply.kind === "permanent") pauses.forbidden(name, reply, this.shared.now());
        failed(name);
      };
      steps.push({ commands: [command(ids)], done });
    }
    return steps;
  }
}
