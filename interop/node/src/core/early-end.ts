import { waitAtMost } from "../redis/wait.js";
import * as commands from "../wire/commands.js";
import { groupNames } from "../wire/replies.js";
import { isFault } from "../wire/faults.js";
import { missingGroup } from "./diagnosis.js";
import type { Shared } from "./shared.js";
import type { Send } from "./ledger.js";

/** The first question comes so long after a request was stored, in ms: most requests have their answer by then, and cost no question. */
export const EARLY_END_MS = 500;
/** A group that was seen is assumed to exist for so long, in ms. */
const KNOWN_FOR_MS = 5000;

interface Doubt {
  /** By its own clock, in ms. */
  readonly at: number;
  readonly send: Send;
  /** Whether the group was missing at the last look. */
  readonly missing: boolean;
}

/** A request to a group that does not exist is never delivered, so its sender need not wait (RIPC-REQ-16). */
export class EarlyEnd {
  private doubts: Doubt[] = [];
  private timer: NodeJS.Timeout | undefined;
  private asking = false;
  /** False if Redis does not let us ask: then only the timeout ends the request. */
  private allowed: boolean;
  private seen: ReadonlySet<string> = new Set();
  private seenAt = -Infinity;

  constructor(
    private readonly shared: Shared,
    private readonly noResponders: (send: Send, text: string) => void,
  ) {
    this.allowed = shared.options.earlyEnd;
  }

  /** Redis has stored the request. */
  stored(send: Send): void {
    if (this.allowed) this.doubt(send, false);
  }

  private doubt(send: Send, missing: boolean): void {
    this.doubts.push({ at: this.shared.now() + EARLY_END_MS, send, missing });
    this.arm();
  }

  private arm(): void {
    const [first] = this.doubts;
    if (first === undefined || this.timer !== undefined || this.asking) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.shared.attempt(() => this.look());
    }, waitAtMost(first.at - this.shared.now()));
    this.timer.unref();
  }

  private async look(): Promise<void> {
    const { shared } = this;
    const now = shared.now();
    const known = now - this.seenAt < KNOWN_FOR_MS ? this.seen : new Set<string>();
    const due: Doubt[] = [];
    while (this.doubts[0] !== undefined && (this.doubts[0].at <= now || this.doubts[0].send.finished)) due.push(this.doubts.shift()!);
    const doubtful = due.filter(({ send }) => send.state === "waiting" && !known.has(send.group));
    if (doubtful.length > 0 && shared.live) await this.ask(doubtful);
    this.arm();
  }

  /** Asks once for all. */
  private async ask(doubtful: readonly Doubt[]): Promise<void> {
    const { shared } = this;
    this.asking = true;
    const [reply = null] = await shared.batch([commands.groups(shared.names)]).finally(() => (this.asking = false));
    if (isFault(reply)) {
      // Without the stream or the connection, only the timeout ends these requests. Without the right, that also holds for later ones.
      if (reply.kind === "permanent") this.allowed = false;
      return;
    }
    this.seen = groupNames(reply);
    this.seenAt = shared.now();
    for (const { send, missing } of doubtful) {
      if (send.state !== "waiting" || this.seen.has(send.group)) continue;
      // Members make a lost group again at once, where they left off. So a second look decides.
      if (missing) this.noResponders(send, missingGroup(send.group, [...this.seen]));
      else this.doubt(send, true);
    }
  }
}
