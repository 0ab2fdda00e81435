/** Deletes consumers without losing their pending entries (RIPC-LIFE-22, 25). */
import * as commands from "../wire/commands.js";
import type { Argument, Command } from "../wire/commands.js";
import { type Entry, keyOf } from "../wire/entry.js";
import { isFault } from "../wire/faults.js";
import { type Names, instanceOf } from "../wire/names.js";
import { type PendingRow, entriesOf, pendingRows } from "../wire/replies.js";
import type { Shared } from "./shared.js";

const PENDING_PAGE = 500;
/** MULTI, XPENDING, XGROUP DELCONSUMER, EXEC. */
const COMMANDS_A_CONSUMER = 4;
/** An entry that was idle for less belongs to its owner. A reclaim has the same bound (RIPC-GROUP-13). */
const JUST_GIVEN_MS = 10_000;
/** How many consumers one batch deletes: a group that crashed for days has thousands. */
const CONSUMERS_A_BATCH = 100;

/**
 * Each in one MULTI with a list of what is pending for it. A consumer with pending entries is left alone. `until`: after this moment
 * the look is too old that showed them as nobody's (RIPC-LIFE-23).
 */
export async function deleteConsumers(shared: Shared, consumers: readonly Argument[], until = Infinity): Promise<void> {
  if (shared.singly) return;
  for (let i = 0; i < consumers.length; i += CONSUMERS_A_BATCH) await deleteSome(shared, consumers.slice(i, i + CONSUMERS_A_BATCH), until);
}

async function deleteSome(shared: Shared, consumers: readonly Argument[], until: number): Promise<void> {
  const { names } = shared;
  const pending = await shared.callAll(consumers.map((name) => commands.pendingOf(names, name, "-", "+", 1)));
  const empty = consumers.filter((_, i) => pendingRows(pending[i] ?? []).length === 0);
  if (shared.now() > until) return;
  const replies = await shared.callAll(empty.flatMap((name) => deletion(shared, name)));
  const dropped: PendingRow[] = [];
  for (let i = COMMANDS_A_CONSUMER - 1; i < replies.length; i += COMMANDS_A_CONSUMER) {
    const exec = replies[i];
    const [listed = null] = Array.isArray(exec) ? exec : [];
    if (Array.isArray(listed) && !isFault(listed)) dropped.push(...pendingRows(listed));
  }
  await restore(shared, dropped);
}

function deletion({ names }: Shared, consumer: Argument): Command[] {
  return [["MULTI"], commands.pendingOf(names, consumer, "-", "+", PENDING_PAGE), commands.deleteConsumer(names, consumer), ["EXEC"]];
}

/** An entry that was handed to a consumer at the last moment now has no consumer, and no member would find it. */
export async function restore(shared: Shared, dropped: readonly PendingRow[]): Promise<void> {
  const { names, sizes } = shared;
  const size = sizes.count(PENDING_PAGE);
  for (let i = 0; i < dropped.length; i += size) {
    const some = dropped.slice(i, i + size);
    const bodies = await shared.callAll(some.map((row) => commands.body(names, row.entryId)));
    const nobodys: string[] = [];
    const lines: Command[] = [];
    some.forEach((row, at) => {
      const [entry] = entriesOf(bodies[at] ?? []);
      if (entry === undefined) return;
      // It is for another group: its reader would only acknowledge it, and may have done so by now.
      if (isForAnother(entry, names)) return;
      const owner = instanceOf(row.owner);
      const isResponse = entry.kind === "response";
      // Its instance was away for long, and is back. It may start the request now, and would not see that others took it. It waits
      // for the response.
      if (justGiven(row, names)) lines.push(commands.returnTo(names, row.owner, row.entryId, row.deliveries));
      // Nobody waits for a response to the instance that is gone.
      else if (isResponse && owner !== undefined && keyOf(owner) === keyOf(entry.instance)) nobodys.push(row.entryId);
      else lines.push(commands.restore(names, row.entryId, row.deliveries, isResponse));
    });
    if (nobodys.length > 0) lines.push(commands.remove(names, nobodys));
    await shared.callAll(lines);
  }
}

function isForAnother(entry: Entry, { group }: Names): boolean {
  return (entry.kind === "request" || entry.kind === "response") && !entry.destination.equals(Buffer.from(group));
}

/** Whether another instance got the entry within the last seconds: it read the request, or was handed the response. */
function justGiven({ owner, idle }: PendingRow, names: Names): boolean {
  const instance = instanceOf(owner);
  return instance !== undefined && keyOf(instance) !== names.instance && idle < JUST_GIVEN_MS;
}
