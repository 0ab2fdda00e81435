/**
 * A claim that is late. An owner that did not claim its entry for 5 s may not be its owner any more, so it looks first (RIPC-GROUP-11), and the claim itself
 * takes nothing from a member that has claimed it since (RIPC-GROUP-30).
 */
import * as commands from "../wire/commands.js";
import type { Command } from "../wire/commands.js";
import type { Held } from "./held.js";
import type { Shared } from "./shared.js";

/** What its owner claimed within this time is not claimed again by a look, in ms. */
export const CLAIMED_LATELY_MS = 3000;

/** Whether it was claimed so long ago that another member may have it. */
export function isLate({ now }: Shared, held: Held): boolean {
  return now() - held.keptAt >= commands.LATE_MS;
}

/** Those that are not late, and those that are. */
export function splitLate(shared: Shared, some: readonly Held[]): [inTime: Held[], late: Held[]] {
  const inTime: Held[] = [];
  const late: Held[] = [];
  for (const held of some) (isLate(shared, held) ? late : inTime).push(held);
  return [inTime, late];
}

/** The min-idle-time of a claim, by the idle time that a look showed: a member that takes it in between keeps it (RIPC-GROUP-30). */
function leastIdle(idle: number): number {
  if (idle >= commands.LATE_MS) return commands.LATE_MS;
  return idle >= CLAIMED_LATELY_MS ? CLAIMED_LATELY_MS : 0;
}

/** Entry IDs by the min-idle-time of their claims, for as few commands as possible. */
export function claimsByIdle(shared: Shared, rows: Iterable<readonly [entryId: string, idle: number]>): Command[] {
  const byIdle = new Map<number, string[]>();
  for (const [entryId, idle] of rows) {
    const least = leastIdle(idle);
    const ids = byIdle.get(least) ?? [];
    ids.push(entryId);
    byIdle.set(least, ids);
  }
  return [...byIdle].map(([least, ids]) => commands.claim(shared.names, shared.names.dispatcher, least, ids));
}
