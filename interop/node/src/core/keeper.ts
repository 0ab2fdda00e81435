import * as commands from "../wire/commands.js";
import { isFault } from "../wire/faults.js";
import { claimedIds, entriesOf } from "../wire/replies.js";
import type { Held } from "./held.js";
import type { Hub } from "./hub.js";
import { SUSPECT_MS } from "./responder.js";
import { Ticker } from "./ticker.js";

const EVERY_MS = 3000;
const IDS_A_COMMAND = 500;

/** Shows every 3 s that the requests in progress have an owner that lives (RIPC-GROUP-9 to 11). */
export class Keeper {
  private readonly ticker = new Ticker(async () => {
    await this.hub.attempt(() => this.keep(SUSPECT_MS));
    return EVERY_MS;
  });

  constructor(private readonly hub: Hub) {}

  start(): void {
    this.ticker.start();
  }

  stop(): Promise<void> {
    return this.ticker.stop();
  }

  /**
   * Claims again what is in progress and still ours; the handlers of the rest are told. What gave no sign of life for
   * `suspectMs` may have been taken over, and is looked at first.
   */
  async keep(suspectMs: number): Promise<void> {
    const { responder } = this.hub;
    const now = this.hub.now();
    const held = responder.all().filter(isKept);
    const late = held.filter((one) => now - one.keptAt >= suspectMs);
    if (late.length > 0) await responder.stillOurs(late);
    // A claim after a give-back would undo it, so it is looked at again before each one.
    for (let i = 0; i < held.length; i += IDS_A_COMMAND) await this.claim(held.slice(i, i + IDS_A_COMMAND).filter(isKept));
  }

  private async claim(held: Held[]): Promise<void> {
    if (held.length === 0) return;
    const { names, session } = this.hub;
    const at = this.hub.now();
    const ids = held.map((one) => one.entryId);
    const ours = new Set(claimedIds(await this.hub.call(commands.claim(names, names.dispatcher, 0, ids))));
    for (const one of held) {
      if (ours.has(one.entryId)) one.keptAt = at;
      else this.deleted(one);
    }
    // Up to Redis 6.2 a deleted entry is claimed like any other.
    if ((session?.majorVersion ?? 0) < 7) await this.lookForBodies(held.filter((one) => one.state !== "gone"));
  }

  private async lookForBodies(held: Held[]): Promise<void> {
    const replies = await this.hub.batch(held.map((one) => commands.body(this.hub.names, one.entryId)));
    held.forEach((one, i) => {
      const reply = replies[i] ?? null;
      if (!isFault(reply) && entriesOf(reply).length === 0 && one.state !== "gone") {
        this.hub.writer.acknowledge(one.entryId);
        this.deleted(one);
      }
    });
  }

  private deleted(held: Held): void {
    if (held.state !== "gone") this.hub.responder.lost(held, "the requester has given the request up");
  }
}

function isKept(held: Held): boolean {
  return held.pinned && held.state !== "leaving" && held.state !== "gone";
}
