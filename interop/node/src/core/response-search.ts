/**
 * Finds responses among requests that nobody has room for: only their bodies tell which is which (RIPC-GROUP-25).
 *
 * Bodies may be large, so each is read once: the IDs of requests are remembered for as long as the group's pending list shows them.
 */
import * as commands from "../wire/commands.js";
import { type PendingRow, entriesOf } from "../wire/replies.js";
import type { SharedWith } from "./ports.js";
import { RepeatedTask } from "./timers.js";

/** How many IDs of requests are remembered at most. The bodies of further ones are read at each look. */
export const MOST_REQUESTS_KNOWN = 10_000;
/** About so many known bodies are read at each look all the same: they may have been deleted (RIPC-GROUP-16). */
const READ_AGAIN = 4;
const NEVER_MS = 2 ** 30;

/** Reads the bodies of what the looks list, some at a time, and lets those be taken that are no requests. */
export class ResponseSearch {
  private readonly requests = new Set<string>();
  private unread: PendingRow[] = [];
  private readonly task = new RepeatedTask(async () => {
    await this.shared.attempt(() => this.read());
    return NEVER_MS; // only when it is asked to
  });

  constructor(
    private readonly shared: SharedWith<"router">,
    /** Those of the rows whose bodies may be read now, in their order. */
    private readonly readable: (rows: readonly PendingRow[]) => PendingRow[],
    /** Claims an entry and routes it. */
    private readonly take: (row: PendingRow) => Promise<void>,
  ) {}

  /** Connected: Redis may have lost entries, and given their IDs to others. */
  start(): void {
    this.requests.clear();
    this.unread = [];
    this.task.start();
  }

  stop(): Promise<void> {
    this.unread = [];
    return this.task.stop();
  }

  /** How many requests are remembered. */
  get known(): number {
    return this.requests.size;
  }

  /** This entry is a request. */
  isRequest(entryId: string): void {
    if (this.requests.size < MOST_REQUESTS_KNOWN) this.requests.add(entryId);
  }

  /** All given-back entries that a look listed. */
  among(rows: readonly PendingRow[]): void {
    const listed = new Set(rows.map(({ entryId }) => entryId));
    for (const entryId of this.requests) if (!listed.has(entryId)) this.requests.delete(entryId);
    this.unread = rows.filter(({ entryId }) => !this.requests.has(entryId) || Math.random() * rows.length < READ_AGAIN);
    if (this.unread.length > 0) this.task.soon();
  }

  private async read(): Promise<void> {
    const { shared } = this;
    for (let rows = this.next(); rows.length > 0; rows = this.next()) {
      const bodies = await shared.callAll(rows.map((row) => commands.body(shared.names, row.entryId)));
      for (const [i, row] of rows.entries()) {
        const [entry] = entriesOf(bodies[i] ?? []);
        if (entry !== undefined && "content" in entry) shared.sizes.saw(entry.content.length);
        if (entry?.kind === "request" && shared.router.isForUs(entry)) this.isRequest(row.entryId);
        else await this.take(row);
      }
    }
  }

  /** Those whose bodies are read together, or one that is read alone, since it may break the connection (RIPC-RECOV-28). */
  private next(): PendingRow[] {
    const { breakers, sizes } = this.shared;
    const rows = this.shared.closing ? [] : this.readable(this.unread);
    const trusted = rows.filter(({ entryId }) => breakers.trusts(entryId));
    const chosen = trusted.length > 0 ? trusted.slice(0, sizes.count(commands.PAGE)) : rows.slice(0, 1);
    const ids = new Set(chosen.map(({ entryId }) => entryId));
    this.unread = this.unread.filter(({ entryId }) => !ids.has(entryId));
    return chosen;
  }
}
