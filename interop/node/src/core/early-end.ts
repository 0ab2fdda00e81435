import { waitAtMost } from "../redis/wait.js";
import * as commands from "../wire/commands.js";
import { groupNames } from "../wire/replies.js";
import { isFault } from "../wire/faults.js";
import { missingGroup } from "./diagnosis.js";
import type { Shared } from "./shared.js";
import type { Send } from "./ledger.js";

/** Nobody asks sooner after a request was stored, in ms: most requests have their answer by then, and cost nothing. */
export const EARLY_END_MS = 500;
/** A group that was seen is taken to exist for so long, in ms. */
const KNOWN_FOR_MS = 5000;

interface Doubt {
  /** By its own clock, in ms. */
  readonly at: number;
  readonly send: Send;
  /** Whether the group was missing at the last look. */
  readonly missing: boolean;
}

/** A request to a group that does not exist is given to nobody, so that nobody waits for it (RIPC-REQ-16). */
export class EarlyEnd {
  private doubts: Doubt[] = [];
  private timer: NodeJS.Timeout | undefined;
  private asking = false;
  /** False where Redis does not let us ask: then the timeout tells. */
  private allowed: boolean;
  private seen: ReadonlySet<string> = new Set();
  private seenAt = -Infinity;

  constructor(
    private readonly shared: Shared,
    private readonly noResponders: (send: Send, text: string) => void,
  ) {
    this.allowed = shared.options.earlyEnd;
  }

  /** Redis has the request. */
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
      // Without the stream, or the connection, the timeout tells; without the right, of all to come.
      if (reply.kind === "permanent") this.allowed = false;
      return;
    }
    this.seen = groupNames(reply);
    this.seenAt = shared.now();
    for (const { send, missing } of doubtful) {
      if (send.state !== "waiting" || this.seen.has(send.group)) continue;
      // A group that was lost is made again at once, where its members left off: a second look decides.
      if (missing) this.noResponders(send, missingGroup(send.group, [...this.seen]));
      else this.doubt(send, true);
    }
  }
}
