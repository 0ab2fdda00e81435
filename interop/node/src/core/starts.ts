import { COUNTS_A_START } from "../wire/commands.js";
import type { PendingRow } from "../wire/replies.js";

/** A request is started this often at most (RIPC-GROUP-18). */
export const MOST_STARTS = 3;

/** How often an entry was started, from its delivery count: each start adds 3, whoever made it (RIPC-GROUP-20). */
export function startsOf(row: Pick<PendingRow, "deliveries">): number {
  return Math.max(1, Math.ceil(row.deliveries / COUNTS_A_START));
}
