/** Deleting consumers without losing what is pending for them (RIPC-LIFE-22, 25). */
import * as commands from "../wire/commands.js";
import type { Argument, Command } from "../wire/commands.js";
import { keyOf } from "../wire/entry.js";
import { isFault } from "../wire/faults.js";
import { type Names, instanceOf } from "../wire/names.js";
import { type PendingRow, entriesOf, pendingRows } from "../wire/replies.js";
import type { Shared } from "./shared.js";

const PENDING_PAGE = 500;
/** MULTI, XPENDING, XGROUP DELCONSUMER, EXEC. */
const COMMANDS_A_CONSUMER = 4;
/** The idle time below which an entry is its owner's: the bound of a reclaim, too (RIPC-GROUP-13). */
const JUST_READ_MS = 10_000;
/** How many consumers one batch deletes: a group that crashed for days has thousands. */
const CONSUMERS_A_BATCH = 100;

/** Each in one MULTI with a list of what is pending for it. A consumer with pending entries is left alone. */
export async function deleteConsumers(shared: Shared, consumers: readonly Argument[]): Promise<void> {
  if (shared.singly) return;
  for (let i = 0; i < consumers.length; i += CONSUMERS_A_BATCH) await deleteSome(shared, consumers.slice(i, i + CONSUMERS_A_BATCH));
}

async function deleteSome(shared: Shared, consumers: readonly Argument[]): Promise<void> {
  const { names } = shared;
  const pending = await shared.callAll(consumers.map((name) => commands.pendingOf(names, name, "-", "+", 1)));
  const empty = consumers.filter((_, i) => pendingRows(pending[i] ?? []).length === 0);
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

/** What was handed to a consumer at the last moment is pending with nobody now, and nobody would find it. */
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
      const owner = instanceOf(row.owner);
      const isTheirs = entry.kind === "response" && entry.destination.equals(Buffer.from(names.group));
      // Its instance was away for long, is back, and may start it now. It would not see that others took it.
      if (justRead(row, names)) lines.push(commands.returnTo(names, row.owner, row.entryId, row.deliveries));
      // A response to the instance that is gone is nobody's.
      else if (isTheirs && owner !== undefined && keyOf(owner) === keyOf(entry.instance)) nobodys.push(row.entryId);
      else lines.push(commands.restore(names, row.entryId, row.deliveries));
    });
    if (nobodys.length > 0) lines.push(commands.remove(names, nobodys));
    await shared.callAll(lines);
  }
}

/** Whether the dispatcher of another instance showed a sign of life for the entry. */
function justRead({ owner, idle }: PendingRow, { dispatcher }: Names): boolean {
  return owner.toString("latin1").startsWith("dispatcher_") && !owner.equals(Buffer.from(dispatcher)) && idle < JUST_READ_MS;
}
