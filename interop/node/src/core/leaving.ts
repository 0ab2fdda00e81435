/** Leaving: first out of the list, so that no more is handed over. Then its own consumers are emptied and deleted. */
import * as commands from "../wire/commands.js";
import { type PendingRow, entriesOf, pendingRows } from "../wire/replies.js";
import type { SharedWith } from "./ports.js";
import { deleteConsumers } from "./restoring.js";
import type { Shared } from "./shared.js";

const PENDING_PAGE = 500;

/** `readEnded`: no read can get entries any more. If one can, its consumer must stay (RIPC-LIFE-19 to 22, 25, 28). */
export async function leave(shared: SharedWith<"responder" | "siblings" | "handOver" | "wakeups" | "registration">, readEnded: boolean): Promise<void> {
  const { names } = shared;
  await shared.registration.remove();
  for (const consumer of [names.dispatcher, names.consumer]) await empty(shared, consumer);
  // The consumer first: entries restored from it go to the dispatcher, which stays if it has any.
  await deleteConsumers(shared, [names.consumer]);
  if (readEnded) await deleteConsumers(shared, [names.dispatcher]);
}

/** Gives back its pending entries: requests that have not started, and responses for other instances. */
async function empty(shared: SharedWith<"responder" | "siblings" | "handOver" | "wakeups">, consumer: string): Promise<void> {
  const { names, responder, siblings, handOver, wakeups } = shared;
  let start = "-";
  for (;;) {
    const rows = pendingRows(await shared.call(commands.pendingOf(names, consumer, start, "+", PENDING_PAGE)));
    let back = rows.filter((row) => row.idle < commands.GIVEN_BACK_FROM_MS && !responder.holds(row.entryId));
    if (!siblings.present) {
      back = await withoutResponses(shared, back);
      await settleDeleted(
        shared,
        rows.filter((row) => row.idle >= commands.GIVEN_BACK_FROM_MS && !responder.holds(row.entryId)),
      );
    }
    // It has read those that it keeps for siblings. Of the others it does not know what they are.
    for (const responses of [false, true]) {
      const some = back.filter((row) => handOver.has(row.entryId) === responses);
      for (const late of [false, true]) {
        const ids = some.filter((row) => row.idle >= commands.LATE_MS === late).map((row) => row.entryId);
        if (ids.length > 0) await shared.call(commands.giveBack(names, ids, late ? commands.LATE_MS : 0, responses));
      }
    }
    if (back.length > 0) wakeups.wakeGroup();
    const last = rows.at(-1);
    if (last === undefined || rows.length < PENDING_PAGE) return;
    start = `(${last.entryId}`;
  }
}

/** Without another instance, a response is settled, since nobody could hand it over. Requests wait for the next instance. */
async function withoutResponses(shared: Shared, rows: PendingRow[]): Promise<PendingRow[]> {
  const { names, sizes, breakers } = shared;
  // Entries that cannot be read are left for others (RIPC-RECOV-28).
  const left = rows.filter(({ entryId }) => !breakers.trusts(entryId));
  const readable = rows.filter(({ entryId }) => breakers.trusts(entryId));
  const size = sizes.count(PENDING_PAGE);
  for (let i = 0; i < readable.length; i += size) {
    const some = readable.slice(i, i + size);
    const bodies = await shared.callAll(some.map((row) => commands.body(names, row.entryId)));
    const isRequest = (at: number) => entriesOf(bodies[at] ?? [])[0]?.kind === "request";
    left.push(...some.filter((_, at) => isRequest(at)));
    const ids = some.filter((_, at) => !isRequest(at)).map((row) => row.entryId);
    if (ids.length > 0) await shared.callAll([commands.acknowledge(names, ids), commands.remove(names, ids)]);
  }
  return left;
}

/** Acknowledges what it gave back earlier and a requester deleted when its time was up: nobody else is there to do it. */
async function settleDeleted(shared: Shared, rows: PendingRow[]): Promise<void> {
  const { names, sizes, breakers } = shared;
  const readable = rows.filter(({ entryId }) => breakers.trusts(entryId));
  const size = sizes.count(PENDING_PAGE);
  for (let i = 0; i < readable.length; i += size) {
    const some = readable.slice(i, i + size);
    const bodies = await shared.callAll(some.map((row) => commands.body(names, row.entryId)));
    const ids = some.filter((_, at) => entriesOf(bodies[at] ?? []).length === 0).map((row) => row.entryId);
    if (ids.length > 0) await shared.callAll([commands.acknowledge(names, ids)]);
  }
}
