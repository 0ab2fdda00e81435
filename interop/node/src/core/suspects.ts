import type { PendingRow } from "../wire/replies.js";

/** From this idle time on an entry of another owner is suspect, in ms (RIPC-GROUP-14). */
export const SUSPECT_MS = 7000;
/** From this idle time on an entry may be taken from its owner, in ms (RIPC-GROUP-13). */
export const RECLAIM_MS = 10_000;
/** Between the two looks of a reclaim, in ms. */
export const BETWEEN_LOOKS_MS = 3000;
/** Added so that a look does not come a moment too early. */
const SLACK_MS = 30;

interface Suspect {
  readonly owner: Buffer;
  /** By its own monotonic clock, in ms. */
  readonly firstSeen: number;
  /** When it is idle for long enough, as far as is known, in the same unit. */
  ripeAt: number;
  /** When its body was read last, and was a request without room, in the same unit. */
  requestAt?: number;
}

/** Entries whose owner may be dead. One look is not enough: idle time is wall-clock time of Redis (RIPC-GROUP-14). */
export class Suspects {
  private readonly suspects = new Map<string, Suspect>();

  /** Notes a row of a look. True if it was seen with this owner long enough ago, and is idle for long enough. */
  seen(row: PendingRow, now: number): boolean {
    const known = this.suspects.get(row.entryId);
    const ripeAt = now + Math.max(0, RECLAIM_MS - row.idle);
    if (known?.owner.equals(row.owner) !== true) {
      this.suspects.set(row.entryId, { owner: row.owner, firstSeen: now, ripeAt: Math.max(ripeAt, now + BETWEEN_LOOKS_MS) });
      return false;
    }
    known.ripeAt = Math.max(ripeAt, known.firstSeen + BETWEEN_LOOKS_MS);
    return known.ripeAt <= now;
  }

  /** Its body was read: it is a request, and there is no room for it. */
  isRequest(entryId: string, now: number): void {
    const suspect = this.suspects.get(entryId);
    if (suspect !== undefined) suspect.requestAt = now;
  }

  /** When its body was read last; undefined while it may be a response. */
  requestAt(entryId: string): number | undefined {
    return this.suspects.get(entryId)?.requestAt;
  }

  /** Forgets what a look did not list any more. */
  keepOnly(listed: ReadonlySet<string>): void {
    for (const entryId of this.suspects.keys()) if (!listed.has(entryId)) this.suspects.delete(entryId);
  }

  clear(): void {
    this.suspects.clear();
  }

  /** In how many ms the next look is due: when the first suspect may be taken, so that no request waits longer than needed. */
  nextIn(now: number, usualMs: number): number {
    let next = usualMs;
    for (const { ripeAt } of this.suspects.values()) {
      // Suspects that may be taken already could not be: the usual pause.
      if (ripeAt > now) next = Math.min(next, ripeAt - now + SLACK_MS);
    }
    return next;
  }
}
