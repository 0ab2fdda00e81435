import * as commands from "../wire/commands.js";
import { entriesRead } from "../wire/replies.js";
import type { Hub } from "./hub.js";
import { Ticker } from "./ticker.js";

/**
 * While responses are due, in ms (RIPC-GROUP-3): soon where siblings are known, who may read them, and never later than
 * this, since one may have come that is not known yet. Else at least every 25 s (RIPC-GROUP-4).
 */
const SOONEST_MS = 20;
const LATEST_MS = 250;
const AT_REST_MS = 10_000;

/** The pending list of the own consumer, into which siblings put the responses that they read for us. */
export class OwnList {
  private pause = SOONEST_MS;
  private readonly ticker = new Ticker(async () => {
    await this.hub.attempt(() => this.read());
    return this.next();
  });

  constructor(private readonly hub: Hub) {}

  start(): void {
    this.ticker.start();
  }

  stop(): Promise<void> {
    return this.ticker.stop();
  }

  /** A request was sent: a sibling may read its response. */
  expectMore(): void {
    const atRest = this.pause === AT_REST_MS;
    this.pause = SOONEST_MS;
    if (atRest) this.ticker.within(this.next());
  }

  /** The own wake-up, or a sibling that has just come. */
  readSoon(): void {
    this.ticker.soon();
  }

  /** Routes all that is in the list, page by page. */
  async read(): Promise<void> {
    const { names, router, reclaimer, responder } = this.hub;
    let after = "0";
    for (;;) {
      const page = entriesRead(await this.hub.call(commands.readOwn(names, after)));
      for (const entry of page) {
        const toRun = entry.kind === "request" && router.isForUs(entry);
        if (!toRun) router.route(entry, 1);
        else if (!responder.holds(entry.entryId)) await reclaimer.adopt(entry.entryId);
      }
      const last = page.at(-1);
      if (page.length > 0) this.pause = SOONEST_MS;
      if (last === undefined || page.length < commands.PAGE) return;
      after = last.entryId;
    }
  }

  /** Growing pauses while responses are due. */
  private next(): number {
    if (this.hub.requester.ledger.size === 0) this.pause = AT_REST_MS;
    else if (!this.hub.siblings.present) this.pause = LATEST_MS;
    else this.pause = Math.min(this.pause * 1.5, LATEST_MS);
    return this.pause;
  }
}
