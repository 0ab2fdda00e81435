import * as commands from "../wire/commands.js";
import { claimedIds, entriesOf } from "../wire/replies.js";
import type { Held } from "./held.js";
import type { SharedWith } from "./ports.js";
import { splitLate } from "./late-claim.js";
import { keepOurs } from "./ownership.js";
import { RepeatedTask, leftOf } from "./timers.js";
import { Busy } from "./vitals.js";

export const KEEP_ALIVE_MS = 3000;
const IDS_A_COMMAND = 500;
/** Up to this content, in bytes, a body is read only to see whether it is there (Redis 6.2). */
const LOOKED_AT = 64 << 10;

/** Shows every 3 s that what is in progress has an owner that lives (RIPC-GROUP-9 to 11, RIPC-ROUTE-16). */
export class KeepAlive {
  private readonly task = new RepeatedTask(async () => {
    const began = this.shared.now();
    this.busy.look();
    await this.shared.attempt(() => this.keep());
    return leftOf(KEEP_ALIVE_MS, this.shared.now() - began);
  });

  private readonly busy: Busy;

  constructor(private readonly shared: SharedWith<"writer" | "requester" | "responder" | "handOver" | "wakeups">) {
    this.busy = new Busy(shared);
  }

  start(): void {
    this.task.start();
  }

  stop(): Promise<void> {
    return this.task.stop();
  }

  /** What was not claimed for long may be another member's by now, and is looked at first (RIPC-GROUP-11). */
  private async keep(): Promise<void> {
    const { shared } = this;
    const held = shared.responder.all().filter(isKept);
    const [fresh, late] = splitLate(shared, held);
    const looked = late.length > 0 ? keepOurs(shared, late, true) : undefined;
    // Together: whichever of them fails first, nobody would wait for the other one.
    const [kept] = await Promise.all([this.claim(fresh, shared.handOver.kept()), looked]);
    const missing = kept.filter(isKept);
    // The reply does not say why it lacks them (RIPC-GROUP-32).
    if (missing.length > 0) await keepOurs(shared, missing, true);
    await shared.responder.settleUnsure();
  }

  /** Those that the replies lack. */
  private async claim(held: Held[], others: string[]): Promise<Held[]> {
    const { shared } = this;
    const { names } = shared;
    const ids = [...held.map((one) => one.entryId), ...others];
    if (ids.length === 0) return [];
    const claims = [];
    for (let i = 0; i < ids.length; i += IDS_A_COMMAND) {
      claims.push(commands.claim(names, names.dispatcher, 0, ids.slice(i, i + IDS_A_COMMAND)));
    }
    // Up to Redis 6.2 a deleted entry is claimed like any other.
    const old = (shared.session?.majorVersion ?? 0) < 7;
    const looked = old ? held.filter((one) => one.request.content.length <= LOOKED_AT) : [];
    const at = shared.now();
    const replies = await shared.callAll([...claims, ...looked.map((one) => commands.body(names, one.entryId))]);
    const ours = new Set(replies.slice(0, claims.length).flatMap(claimedIds));
    looked.forEach((one, i) => {
      if (entriesOf(replies[claims.length + i] ?? []).length === 0) ours.delete(one.entryId);
    });
    for (const one of held) if (ours.has(one.entryId)) one.keptAt = Math.max(one.keptAt, at);
    return held.filter((one) => !ours.has(one.entryId));
  }
}

/** Answers that wait to be written, too: while Redis has no memory they may wait for long. */
function isKept(held: Held): boolean {
  return !held.stranded && held.state !== "unsure" && held.state !== "checking" && held.state !== "gone";
}
