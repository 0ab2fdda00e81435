import * as commands from "../wire/commands.js";
import type { Request } from "../wire/entry.js";
import { isFault } from "../wire/faults.js";
import { claimedIds, entriesRead, pendingRows } from "../wire/replies.js";
import { startsOf } from "./starts.js";
import { RepeatedTask } from "./timers.js";
import type { OwnListPort, SharedWith } from "./ports.js";

/**
 * While responses are due, in ms (RIPC-GROUP-3): soon if there are known siblings, since these may read them, and never later than this,
 * since an unknown sibling may have come. Otherwise at least every 25 s (RIPC-GROUP-4).
 */
const SOONEST_MS = 20;
export const POLL_MOST_MS = 250;
export const AT_REST_MS = 10_000;
/** After so many reads in a row ended with a broken connection, each body is read alone (RIPC-RECOV-28). */
const ALONE_AFTER = 2;
const MOVED_PAGE = 500;

/** The pending list of its own consumer, into which siblings put the responses that they read for us. */
export class OwnList implements OwnListPort {
  private pause = SOONEST_MS;
  /** How many reads in a row ended with a broken connection. */
  private broken = 0;
  private readonly task = new RepeatedTask(async () => {
    await this.shared.attempt(() => this.read());
    return this.next();
  });

  constructor(private readonly shared: SharedWith<"requester" | "responder" | "router" | "siblings">) {}

  start(): void {
    this.task.start();
  }

  stop(): Promise<void> {
    return this.task.stop();
  }

  /** A request was sent: a sibling may read its response. */
  expectMore(): void {
    const atRest = this.pause === AT_REST_MS;
    this.pause = SOONEST_MS;
    if (atRest) this.task.within(this.next());
  }

  /** Its own wake-up came, or a new sibling. */
  readSoon(): void {
    this.task.soon();
  }

  /** Routes all entries of the list, page by page. */
  async read(): Promise<void> {
    const { shared } = this;
    const { names, router, responder } = shared;
    if (shared.pauses.lacks("own list", shared.now()) || shared.now() < shared.pauses.writes.until) return;
    if (this.broken >= ALONE_AFTER) await this.move();
    let after = "0";
    for (;;) {
      const count = shared.sizes.count(commands.PAGE);
      const [reply = null] = await shared.batch([commands.readOwn(names, after, count)]);
      if (isFault(reply)) {
        if (reply.kind === "permanent") shared.pauses.forbidden("own list", reply, shared.now());
        if (reply.kind === "lost") this.broken++;
        throw reply;
      }
      this.broken = 0;
      const page = entriesRead(reply);
      for (const entry of page) {
        const toRun = entry.kind === "request" && router.isForUs(entry);
        if (!toRun) router.route(entry, 1, shared.now());
        else if (!responder.holds(entry.entryId)) await this.adopt(entry);
      }
      const last = page.at(-1);
      if (page.length > 0) this.pause = SOONEST_MS;
      if (last === undefined || page.length < count) return;
      after = last.entryId;
    }
  }

  /** One of the bodies may break the connection: they go to the dispatcher's list, where each is read alone. No body is read here. */
  private async move(): Promise<void> {
    const { shared } = this;
    const { names, breakers } = shared;
    const ids = pendingRows(await shared.call(commands.pendingOf(names, names.consumer, "-", "+", MOVED_PAGE))).map(({ entryId }) => entryId);
    for (const id of ids) breakers.suspect(id);
    if (ids.length > 0) await shared.call(commands.claim(names, names.dispatcher, 0, ids));
    if (ids.length < MOVED_PAGE) this.broken = 0;
    breakers.plan(shared.now());
  }

  /** A request that another client put there is claimed for the dispatcher, and run like any other (RIPC-GROUP-38). */
  private async adopt(entry: Request): Promise<void> {
    const { shared } = this;
    const { names } = shared;
    const [row] = pendingRows(await shared.call(commands.pendingOf(names, names.consumer, entry.entryId, entry.entryId, 1)));
    if (row === undefined) return;
    const at = shared.now();
    const claimed = claimedIds(await shared.call(commands.claim(names, names.dispatcher, 0, [entry.entryId])));
    if (claimed.includes(entry.entryId)) shared.router.route(entry, startsOf(row), at);
  }

  /** Growing pauses while responses are due. */
  private next(): number {
    if (this.shared.requester.ledger.size === 0) this.pause = AT_REST_MS;
    else if (!this.shared.siblings.present) this.pause = POLL_MOST_MS;
    else this.pause = Math.min(this.pause * 1.5, POLL_MOST_MS);
    return this.pause;
  }
}
