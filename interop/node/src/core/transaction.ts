/** A transaction that writes, and reads new entries at its end: what its replies say about the one and the other. */
import type { Command } from "../wire/commands.js";
import type { Entry } from "../wire/entry.js";
import { RedisFault, isFault, isForGood } from "../wire/faults.js";
import { type Reply, entriesRead } from "../wire/replies.js";

/** What reads beside a blocked read. */
export interface Beside {
  /** How many new entries may be read now, 0 for none. */
  count(): number;
  /** Takes what was read. `sentAt`: when the batch was sent, by its own clock in ms. */
  receive(entries: readonly Entry[], sentAt: number): void;
  /** The read failed, or its reply got lost. */
  failed(fault: RedisFault): void;
}

/** A transaction whose last command reads. */
export class Transaction {
  private entries: Entry[] = [];

  constructor(
    readonly commands: Command[],
    private readonly beside: Beside,
    private readonly sentAt: number,
    private readonly refused: () => void,
  ) {}

  /** The replies without those of the read; then call `received`. Undefined where nothing was done since Redis refuses the read. */
  take(replies: readonly Reply[]): Reply[] | undefined {
    const front = replies.slice(0, -2);
    const [read = null, end = null] = replies.slice(-2);
    if (isFault(end) && end.kind === "lost") this.beside.failed(end);
    // MULTI itself was refused: each command was executed for itself.
    if (isFault(front[0])) this.keep(read);
    else if (Array.isArray(end)) {
      this.keep(end.at(-1) ?? null);
      return [...front, end.slice(0, -1)];
    } else if (isRefused(read) && !front.some(isFault)) {
      if (isForGood(read.kind)) this.refused();
      return undefined;
    }
    return [...front, end];
  }

  /** Receives what was read, when what was written is known as such. */
  received(): void {
    if (this.entries.length > 0) this.beside.receive(this.entries, this.sentAt);
  }

  private keep(reply: Reply): void {
    if (!isFault(reply)) this.entries = entriesRead(reply);
    else if (isRefused(reply)) this.beside.failed(reply);
  }
}

/** What became of each of `count` XADD in a transaction, of whose replies those to its read are taken. Undefined: it was not done. */
export function resultsOf(replies: readonly Reply[] | undefined, count: number): (Reply | undefined)[] {
  if (replies === undefined) return Array<undefined>(count).fill(undefined);
  const [begin = null, ...queued] = replies.slice(0, -1);
  const end = replies.at(-1) ?? null;
  if (isFault(begin)) return queued;
  if (Array.isArray(end)) return end;
  if (!isFault(end)) throw new RedisFault("unknown", "Redis answered EXEC with neither a list nor an error");
  // It came up after the commands were queued, and holds for all of them.
  if (!queued.some(isRefused)) return Array<Reply>(count).fill(end);
  // One that is refused takes the others with it. They are written again, without a word about them.
  return queued.map((reply) => (isRefused(reply) ? reply : undefined));
}

/** Redis said no: nothing of it was done. */
function isRefused(reply: Reply): reply is RedisFault {
  return isFault(reply) && reply.kind !== "lost" && reply.kind !== "unsent";
}
