import * as commands from "../wire/commands.js";
import type { Entry } from "../wire/entry.js";
import { type PendingRow, claimedIds, entriesOf, pendingRows } from "../wire/replies.js";
import type { Hub } from "./hub.js";
import { SUSPECT_MS } from "./responder.js";
import { startsOf, MOST_STARTS } from "./starts.js";
import { RECLAIM_MS, Suspects } from "./suspects.js";
import { Ticker } from "./ticker.js";

const EVERY_MS = 3000;
/** Nothing of others is reclaimed for so long after a reconnect, in ms (RIPC-RECOV-7). */
const AFTER_RECONNECT_MS = 10_000;

/** Takes what dead members left, and what living ones gave back (SPEC.md section 11). */
export class Reclaimer {
  private readonly suspects = new Suspects();
  /** There may be something that was given back. */
  private hint = false;
  private notBefore = 0;
  private readonly looks = new Ticker(async () => {
    await this.hub.attempt(() => this.look());
    return this.suspects.nextIn(this.hub.now(), EVERY_MS);
  });
  private readonly takes = new Ticker(async () => {
    await this.hub.attempt(() => this.takeGivenBack());
    return 2 ** 30; // only when it is asked to
  });

  constructor(private readonly hub: Hub) {}

  start(): void {
    this.looks.start();
    this.takes.start();
  }

  async stop(): Promise<void> {
    this.suspects.clear();
    await Promise.all([this.looks.stop(), this.takes.stop()]);
  }

  reconnected(): void {
    this.notBefore = this.hub.now() + AFTER_RECONNECT_MS;
  }

  /** A handler is free. */
  roomFound(): void {
    if (this.hint) this.takes.soon();
  }

  gaveBack(): void {
    this.hint = true;
  }

  /** The group's wake-up: somebody gave something back (RIPC-GROUP-26). */
  woken(): void {
    this.hint = true;
    if (this.hub.responder.room > 0) this.takes.soon();
  }

  /** A request that a sibling or a gem put into our consumer's list: it is run like any other. */
  async adopt(entryId: string): Promise<void> {
    const { names } = this.hub;
    const rows = pendingRows(await this.hub.call(commands.pendingOf(names, names.consumer, entryId, entryId, 1)));
    for (const row of rows) await this.take(row, 0, { starts: startsOf(row) });
  }

  /** All that is suspect, page by page, so that what others keep alive hides nothing (RIPC-GROUP-22). */
  private async look(): Promise<void> {
    const { names, responder } = this.hub;
    const ripe: PendingRow[] = [];
    const now = this.hub.now();
    const listed = new Set<string>();
    let givenBack = false;
    let start = "-";
    for (;;) {
      const page = pendingRows(await this.hub.call(commands.pendingIdle(names, SUSPECT_MS, start)));
      for (const row of page) {
        listed.add(row.entryId);
        if (row.idle >= commands.COUNTS_AS_GIVEN_BACK_MS) givenBack = true;
        else if (this.concernsUs(row) && this.suspects.seen(row, now)) ripe.push(row);
      }
      const last = page.at(-1);
      if (last === undefined || page.length < commands.PAGE) break;
      start = `(${last.entryId}`;
    }
    this.suspects.keepOnly(listed);
    this.hint ||= givenBack;
    if (givenBack && responder.room > 0) this.takes.soon();
    if (now < this.notBefore) return;
    for (const row of ripe) await this.take(row, RECLAIM_MS, { starts: startsOf(row) + 1 });
  }

  private concernsUs({ entryId, owner }: PendingRow): boolean {
    const { names, responder, writer, handOver } = this.hub;
    if (owner.equals(Buffer.from(names.consumer))) return false; // read by itself
    return !responder.holds(entryId) && !writer.isSettling(entryId) && !handOver.has(entryId);
  }

  private async takeGivenBack(): Promise<void> {
    const { names, responder } = this.hub;
    let start = "-";
    while (responder.room > 0) {
      const count = responder.room + 8; // siblings are after the same ones
      const rows = pendingRows(
        await this.hub.call(commands.pendingIdle(names, commands.COUNTS_AS_GIVEN_BACK_MS, start, count)),
      );
      for (const row of rows) {
        if (responder.room === 0) return;
        await this.take(row, commands.COUNTS_AS_GIVEN_BACK_MS, { starts: startsOf(row), count: false });
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < count) {
        this.hint = false;
        return;
      }
      start = `(${last.entryId}`;
    }
  }

  /** Claims one entry, where it is still idle for that long, and routes it. */
  private async take(row: PendingRow, minIdleMs: number, how: { starts: number; count?: boolean }): Promise<void> {
    const { names, writer, router } = this.hub;
    const entry: Entry | undefined = entriesOf(await this.hub.call(commands.body(names, row.entryId)))[0];
    if (entry === undefined) {
      writer.acknowledge(row.entryId); // RIPC-GROUP-16
      return;
    }
    // A give-back leaves the count as it is (RIPC-GROUP-27). A start that will not be is none.
    const options = how.count === false ? {} : { starts: Math.min(how.starts, MOST_STARTS) };
    const claimed = await this.hub.call(commands.claim(names, names.dispatcher, minIdleMs, [row.entryId], options));
    if (claimedIds(claimed).includes(row.entryId)) router.route(entry, how.starts);
  }
}
