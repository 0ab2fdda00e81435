import * as commands from "../wire/commands.js";
import type { Entry } from "../wire/entry.js";
import { keyOf } from "../wire/entry.js";
import { compareIds } from "../wire/entry-id.js";
import { isFault } from "../wire/faults.js";
import { type Reply, entriesOf, lastGenerated } from "../wire/replies.js";
import { Diagnoser } from "./diagnosis.js";
import type { SharedWith } from "./ports.js";
import type { Send } from "./ledger.js";

/** A send ends at most 1 s after its timeout, and the look may stop after this time, in ms (RIPC-TIME-8). */
export const LOOK_LIMIT_MS = 500;
/** Most responses are near their requests. For the others, small pages would take too long. */
const FIRST_PAGE = 128;
const LARGEST_PAGE = 1000;
/** After so many sweeps in a row broke the connection, the requests that they search are forgotten (RIPC-RECOV-28). */
const FORGETS_AFTER = 3;
/** How many abandoned requests that may be on the stream are remembered. If there are more, the oldest are left to their group. */
const MOST_FORGOTTEN = 10_000;

/**
 * Before a timeout is declared, one look searches the stream for a response that was not delivered (RIPC-TIME-8, 9). One look
 * serves all that are due. It also finds requests of which it is not known whether they were stored, to delete them.
 */
export class LastLook {
  private due: Send[] = [];
  /** Given up while unsure: to be deleted if they are on the stream (RIPC-TIME-10). */
  private forgotten = new Map<string, Send>();
  private sweeping = false;
  /** How many sweeps in a row broke the connection. */
  private broken = 0;
  readonly diagnoser: Diagnoser;

  constructor(
    private readonly shared: SharedWith<"writer" | "requester">,
    private readonly timedOut: (send: Send) => void,
  ) {
    this.diagnoser = new Diagnoser(shared);
  }

  at(send: Send): void {
    this.due.push(send);
    if (this.due.length === 1) setImmediate(() => void this.look(this.due.splice(0)));
  }

  /** An outcome is there, but the request may be on the stream. */
  forget(send: Send): void {
    this.forgotten.set(send.key, send);
    this.sweep();
  }

  sweep(): void {
    this.leaveOldest();
    if (this.forgotten.size > 0 && this.shared.reachable && !this.sweeping) void this.sweepAll();
  }

  /** Each loss of the connection may add more, and each sweep may end with the next loss. */
  private leaveOldest(): void {
    for (const key of this.forgotten.keys()) {
      if (this.forgotten.size <= MOST_FORGOTTEN) break;
      this.forgotten.delete(key);
    }
  }

  private async look(sends: Send[]): Promise<void> {
    const wanted = new Map(sends.map((send) => [send.key, send]));
    const limit = new Promise<void>((resolve) => setTimeout(resolve, LOOK_LIMIT_MS).unref());
    const search = this.shared.attempt(async () => {
      await this.search(sends, wanted, () => wanted.size === 0);
      for (const send of wanted.values()) send.absent = send.entryId === undefined;
    });
    await Promise.race([search, limit]);
    for (const send of sends) if (!send.finished) this.timedOut(send);
  }

  /** Sweeps until one search has gone through the whole stream: entries that it did not find are not there. */
  private async sweepAll(): Promise<void> {
    this.sweeping = true;
    const sends = [...this.forgotten.values()];
    const wanted = new Map(this.forgotten);
    await this.shared.attempt(async () => {
      try {
        await this.search(sends, wanted, () => sends.every((send) => send.entryId !== undefined));
      } catch (error) {
        if (!isFault(error) || error.kind !== "lost" || ++this.broken < FORGETS_AFTER) throw error;
      }
      this.broken = 0;
      for (const send of sends) this.forgotten.delete(send.key);
    });
    this.sweeping = false;
  }

  /** Page by page from the first place where a response, or an unsure request, can be (RIPC-TIME-9, 14). */
  private async search(sends: Send[], wanted: Map<string, Send>, enough: () => boolean): Promise<void> {
    const { names, sizes, breakers } = this.shared;
    const floor = sends.map((send) => send.entryId ?? send.floor).sort(compareIds)[0] ?? "0-0";
    const unsure = sends.some((send) => send.entryId === undefined);
    let from = `(${floor}`;
    for (let size = FIRST_PAGE, first = true; ; size = Math.min(size * 2, LARGEST_PAGE), first = false) {
      const count = sizes.count(size);
      // A body that breaks the connection is left out: what follows it is read next.
      const leftOut = breakers.after(from.replace("(", ""));
      const page = commands.range(names, from, count, leftOut === undefined ? "+" : `(${leftOut}`);
      const replies = first ? await this.firstPage(page, sends, unsure) : [await this.shared.call(page)];
      const [found = null, info] = replies;
      const entries = entriesOf(found);
      for (const entry of entries) this.consider(entry, wanted);
      if (info !== undefined && !isFault(info) && compareIds(lastGenerated(info), floor) < 0) {
        // The stream was created again meanwhile: knowledge about the old one is worthless.
        from = "-";
        continue;
      }
      const last = entries.at(-1);
      if (enough()) return;
      if (last !== undefined && entries.length === count) from = `(${last.entryId}`;
      else if (leftOut !== undefined) from = `(${leftOut}`;
      else return;
    }
  }

  /** The requests are deleted first: after the look, no responder may get one any more (RIPC-TIME-13). */
  private async firstPage(page: commands.Command, sends: Send[], unsure: boolean): Promise<Reply[]> {
    const { names } = this.shared;
    const stored = sends.filter((send) => send.entryId !== undefined && !send.deleted);
    for (const send of stored) send.deleted = true;
    const removal = stored.length > 0 ? [commands.remove(names, stored.map((send) => send.entryId ?? ""))] : [];
    const info = unsure ? [commands.streamInfo(names)] : [];
    const asked = this.diagnoser.ask(sends);
    const replies = await this.shared.batch([...removal, page, ...info, ...(asked ? this.diagnoser.lines(asked) : [])]);
    const [removed] = removal.length > 0 ? replies.splice(0, 1) : [];
    const known = replies.splice(1 + info.length);
    if (asked !== undefined && !isFault(replies[0])) this.diagnoser.take(asked, known);
    if (isFault(removed)) for (const send of stored) this.notDeleted(send);
    if (isFault(replies[0])) throw replies[0];
    return replies;
  }

  private notDeleted(send: Send): void {
    send.deleted = false;
    if (send.finished && send.entryId !== undefined) this.shared.writer.remove(send.entryId);
  }

  private consider(entry: Entry, wanted: Map<string, Send>): void {
    if (entry.kind !== "request" && entry.kind !== "response") return;
    const send = wanted.get(keyOf(entry.id));
    if (send === undefined || !entry.instance.equals(Buffer.from(this.shared.names.instance))) return;
    const group = Buffer.from(this.shared.names.group);
    if (entry.kind === "request" && entry.source.equals(group)) {
      send.entryId = entry.entryId;
      if (send.finished) this.shared.writer.remove(entry.entryId);
    } else if (entry.kind === "response" && entry.destination.equals(group)) {
      this.shared.requester.deliver(entry);
      this.shared.writer.settle(entry.entryId);
      wanted.delete(send.key);
    }
  }
}
