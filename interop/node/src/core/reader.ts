import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";

import * as commands from "../wire/commands.js";
import { compareIds, timeOf } from "../wire/entry-id.js";
import type { Entry } from "../wire/entry.js";
import { type RedisFault, isFault, isForAWhile } from "../wire/faults.js";
import { entriesRead } from "../wire/replies.js";
import type { Session } from "../redis/session.js";
import { Looks } from "./looks.js";
import { LEAST_MS } from "./refusal-pauses.js";
import { largest } from "./sizes.js";
import type { SharedWith } from "./ports.js";
import type { Beside } from "./transaction.js";

/** How often the reader looks whether it may read again, or is to stop, in ms. */
const HELD_UP_MS = 100;
/** Entries that are read where none could start: responses come the same way. */
const LEAST = 8;
const MOST_LATELY = 4096;
/** How long close waits for the read to end, in ms. */
const UNBLOCK_LIMIT_MS = 500;
/** After BLOCK, how long a read that was lost may still be served, in ms (RIPC-RECOV-21). */
export const LATER_MS = 500;
/** How long after a batch that reads was lost its entries are looked for once more, in ms: Redis may come to it late. */
const BATCH_LATER_MS = 4200;

/** Reads what is new, as long as a session lasts. */
export class Reader implements Beside {
  /** The last entry ID that was read: where the group is made again if it is gone (RIPC-RECOV-8). */
  lastRead: string | undefined;
  /** When the dispatcher's list is to be read again, since reads were lost. */
  readonly looks = new Looks();
  /** A read failed: what it may have been given is in the dispatcher's list, which is read before the next one (RIPC-RECOV-3). */
  private listIsDue = false;
  /** When the read under way was sent, in the same unit. */
  private sentAt: number | undefined;
  /** Found in its own list while a read was under way, whose reply may have them as well. */
  private readonly found = new Set<string>();
  /** The entries of the last replies, for as long as a look into its own list may still name them. */
  private lately = new Set<string>();
  private readonly group: Buffer;
  private stopping = false;
  private begun: () => void = () => undefined;
  private loop: Promise<void> = Promise.resolve();

  constructor(
    private readonly shared: SharedWith<"requester" | "responder" | "router" | "siblings" | "ownEntries">,
    /** Resolved when no group is being made again. */
    private readonly regrouped: () => Promise<void>,
    /** Reads the dispatcher's list, and routes what is in it. */
    private readonly readList: () => Promise<void>,
  ) {
    this.group = Buffer.from(shared.names.group);
    shared.ownEntries.beside = this;
  }

  /** Resolved when the first read is sent, or cannot be sent yet (RIPC-LIFE-3). */
  start(session: Session): Promise<void> {
    this.stopping = false;
    this.listIsDue = false; // recovery has just read it
    this.shared.pace.over();
    return new Promise((begun) => {
      this.begun = begun;
      this.loop = this.run(session).finally(begun);
    });
  }

  /** Ends the read under way. False where it did not end: it may still be given entries. */
  async stop(): Promise<boolean> {
    this.stopping = true;
    const { session } = this.shared;
    this.shared.pace.wake();
    const ended = this.loop.then(() => true);
    const limit = this.shared.now() + UNBLOCK_LIMIT_MS;
    // Between two reads there is nothing to end: asks until the loop is over.
    while (session?.isOver === false && this.shared.now() < limit) {
      if (await Promise.race([ended, sleep(20, false)])) return true;
      await session.endRead();
    }
    return Promise.race([ended, sleep(0, false)]);
  }

  /** Whether an entry came with a read since the last one began: it was dealt with, whatever its own list said. */
  hasRouted(entryId: string): boolean {
    return this.lately.has(entryId);
  }

  /** A recovery begins: what was dealt with may be found again, where it was not finished. */
  forgetRouted(): void {
    this.lately.clear();
  }

  /** An entry of its own list was routed: the reply to a read under way may have it, too. */
  foundInList(entryId: string): void {
    if (this.sentAt !== undefined) this.found.add(entryId);
  }

  private async run(session: Session): Promise<void> {
    const { pauses } = this.shared;
    while (!this.stopping && !session.isOver) {
      try {
        await this.rest();
        await this.regrouped();
        await this.pauseUntil(pauses.writes.until, session);
        if (this.stopping || session.isOver) return;
        if (pauses.lacks("read", this.shared.now()) || this.isHeldUp()) {
          this.begun();
          await sleep(HELD_UP_MS);
        } else {
          await this.readListWhereDue();
          await this.readOnce(session);
        }
      } catch (error) {
        if (!isFault(error)) throw error;
        // The user knows; it may pass.
        if (error.kind === "permanent") pauses.forbidden("read", error, this.shared.now());
        else if (error.kind === "no-writes") await sleep(LEAST_MS); // the pause of all writes may be about to end
        else if (isForAWhile(error.kind) || error.kind === "group-lost") await sleep(HELD_UP_MS);
      }
    }
  }

  /**
   * Waits for the end of a pause that all writes share, as it is now. Another write may then be refused first and make the next
   * pause; the read still has its turn (RIPC-RECOV-26).
   */
  private async pauseUntil(end: number, session: Session): Promise<void> {
    for (let left = end - this.shared.now(); left > 0 && !this.stopping && !session.isOver; left = end - this.shared.now()) {
      await sleep(Math.min(left, HELD_UP_MS));
    }
  }

  private async readListWhereDue(): Promise<void> {
    const { pauses } = this.shared;
    if (!this.listIsDue || pauses.lacks("dispatcher's list", this.shared.now())) return;
    try {
      await this.readList();
      this.listIsDue = false;
      pauses.granted("dispatcher's list");
    } catch (error) {
      // Without the right to look, reading goes on (RIPC-RECOV-27).
      if (!isFault(error) || error.kind !== "permanent") throw error;
      pauses.forbidden("dispatcher's list", error, this.shared.now());
    }
  }

  private async readOnce(session: Session): Promise<void> {
    const { shared } = this;
    const sentAt = (this.sentAt = shared.now());
    let entries: Entry[];
    try {
      const reply = session.read(commands.readNew(shared.names, this.startable()));
      this.begun();
      entries = entriesRead(await reply);
    } catch (error) {
      // Its entries, if any, are in its own list, or will be: the dead connection may still be served.
      this.listIsDue = true;
      if (isFault(error) && error.kind === "lost") this.looks.plan(sentAt + commands.BLOCK_MS + LATER_MS);
      throw error;
    } finally {
      this.sentAt = undefined;
    }
    shared.pauses.granted("read");
    const others = entries.filter((entry) => this.isForAnother(entry)).length;
    shared.pace.read(entries.length, others, shared.now());
    this.take(entries, sentAt, this.found);
    this.found.clear();
    shared.sizes.saw(largest(entries));
  }

  /** How many new entries a batch may read. Where a read was refused a moment ago, it is not tried twice at once (RIPC-RECOV-17). */
  count(): number {
    const { pauses, regrouping, now } = this.shared;
    const not = this.stopping || this.listIsDue || regrouping || pauses.writes.active || pauses.lacks("read", now()) || this.isHeldUp();
    return not ? 0 : this.startable();
  }

  /** What a batch has read. */
  receive(entries: readonly Entry[], sentAt: number): void {
    this.take(entries, sentAt);
    this.shared.sizes.saw(largest(entries));
  }

  /** The read of a batch failed: what it was given, if anything, is in its own list, or will be where Redis comes to a lost batch late. */
  failed(fault: RedisFault): void {
    this.listIsDue = true;
    if (fault.kind === "lost") this.looks.plan(this.shared.now() + BATCH_LATER_MS);
  }

  /** `but`: these have been dealt with. */
  private take(entries: readonly Entry[], sentAt: number, but?: ReadonlySet<string>): void {
    const { shared } = this;
    if (this.lately.size > MOST_LATELY) this.lately = new Set([...this.lately].slice(-MOST_LATELY / 2));
    for (const entry of entries) {
      if (this.lastRead === undefined || compareIds(entry.entryId, this.lastRead) > 0) this.lastRead = entry.entryId;
      shared.saw(entry.entryId);
      this.lately.add(entry.entryId);
      if (but?.has(entry.entryId) !== true) shared.router.route(entry, 1, this.deliveredAt(entry.entryId, sentAt));
    }
  }

  private isForAnother(entry: Entry): boolean {
    return (entry.kind === "request" || entry.kind === "response") && !entry.destination.equals(this.group);
  }

  /** An entry was not given to us before it was stored, nor before the read was sent. */
  private deliveredAt(entryId: string, sentAt: number): number {
    const { session, now } = this.shared;
    return session === undefined ? sentAt : Math.max(sentAt, Math.min(now(), timeOf(entryId) - session.clockOffset));
  }

  /** What could not start would only be given back, which costs three commands more. */
  private startable(): number {
    const { sizes, siblings, responder } = this.shared;
    const most = siblings.responders > 0 ? Math.max(LEAST, responder.room) : commands.PAGE;
    return sizes.count(Math.min(most, commands.PAGE));
  }

  /** Before the next read: a group that reads others' entries only pauses, and beside siblings handlers that end at once make room. */
  private async rest(): Promise<void> {
    const { pace, requester, responder, siblings, now } = this.shared;
    const idle = requester.ledger.size === 0 && responder.isIdle;
    const left = idle ? pace.left(now()) : 0;
    if (left > 0 && !this.stopping) await pace.pause(left);
    else if (siblings.responders > 0 && !responder.isIdle) await turn();
  }

  /** Answers wait for Redis, and no response is due that reading would bring (RIPC-RESP-16, RIPC-RECOV-16). */
  private isHeldUp(): boolean {
    return this.shared.responder.answers.refused && this.shared.requester.ledger.size === 0;
  }
}
