import type { PendingRow } from "../wire/replies.js";

/** A request is started this often at most (RIPC-GROUP-18). */
export const MOST_STARTS = 3;

/** How often an entry was started, from its delivery count: a gem's consumer adds 3 with each start (RIPC-GROUP-20). */
export function startsOf(row: Pick<PendingRow, "owner" | "deliveries">): number {
  const byGem = row.owner.toString("latin1").startsWith("consumer_");
  return Math.max(1, byGem ? Math.ceil(row.deliveries / 3) : row.deliveries);
}
