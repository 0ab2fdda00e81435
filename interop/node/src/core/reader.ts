import { setTimeout as sleep } from "node:timers/promises";

import * as commands from "../wire/commands.js";
import { compareIds } from "../wire/entry-id.js";
import { isFault } from "../wire/faults.js";
import { entriesRead } from "../wire/replies.js";
import type { Session } from "../redis/session.js";
import type { Hub } from "./hub.js";

/** How often it is looked whether reading may go on, in ms. */
const HELD_UP_MS = 100;

/** Reads what is new, as long as a session lasts. */
export class Reader {
  /** The last entry ID that was read: where the group is made again if it is gone (RIPC-RECOV-8). */
  lastRead: string | undefined;
  private stopping = false;
  private loop: Promise<void> = Promise.resolve();

  constructor(
    private readonly hub: Hub,
    /** Resolved when no group is being made again. */
    private readonly regrouped: () => Promise<void>,
  ) {}

  start(session: Session): void {
    this.stopping = false;
    this.loop = this.run(session);
  }

  /** Ends the read under way; resolved when nothing more will come of it. */
  async stop(): Promise<void> {
    this.stopping = true;
    const { session } = this.hub;
    const ended = this.loop.then(() => true);
    // Between two reads there is nothing to end: asks until the loop is over.
    while (session?.isOver === false && !(await Promise.race([ended, sleep(50, false)]))) await session.endRead();
    await ended;
  }

  private async run(session: Session): Promise<void> {
    while (!this.stopping && !session.isOver) {
      try {
        await this.regrouped();
        if (this.isHeldUp()) await sleep(HELD_UP_MS);
        else await this.readOnce(session);
      } catch (error) {
        if (!isFault(error)) throw error;
        // Refused for good, or for now: the user has been told; it may pass.
        if (error.kind === "permanent" || error.kind === "refusal") await sleep(HELD_UP_MS * 5);
      }
    }
  }

  private async readOnce(session: Session): Promise<void> {
    const entries = entriesRead(await session.read(commands.readNew(this.hub.names)));
    for (const entry of entries) {
      if (this.lastRead === undefined || compareIds(entry.entryId, this.lastRead) > 0) this.lastRead = entry.entryId;
      this.hub.router.route(entry, 1);
    }
  }

  /** Answers wait for memory, and no response is due that reading would bring (RIPC-RESP-16, RIPC-RECOV-16). */
  private isHeldUp(): boolean {
    return this.hub.responder.answersRefused && this.hub.requester.ledger.size === 0;
  }
}
