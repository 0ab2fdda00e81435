import * as commands from "../wire/commands.js";
import type { Entry } from "../wire/entry.js";
import { keyOf } from "../wire/entry.js";
import { compareIds } from "../wire/entry-id.js";
import { entriesOf } from "../wire/replies.js";
import type { Hub } from "./hub.js";
import type { Send } from "./ledger.js";

/** A send ends at most 1 s after its timeout, so the look may take this long, in ms. */
const LIMIT_MS = 750;
/** Most responses stand near their requests; where they do not, small pages would take too long. */
const LARGEST_PAGE = 1024;
/** How far Redis' clock may have been off when a request was sent, in ms. */
const CLOCK_SLACK_MS = 10_000;

/**
 * Before a timeout is declared, the stream is looked at once for a response that nobody brought (RIPC-TIME-8, 9). One look
 * serves all that are due. It also finds requests of which it is not known whether they were stored, to delete them.
 */
export class LastLook {
  private due: Send[] = [];
  /** Given up while unsure: to be deleted if they are on the stream (RIPC-TIME-10). */
  private forgotten = new Map<string, Send>();
  private sweeping = false;

  constructor(
    private readonly hub: Hub,
    private readonly timedOut: (send: Send) => void,
  ) {}

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
    if (this.forgotten.size > 0 && this.hub.live && !this.sweeping) void this.sweepAll();
  }

  private async look(sends: Send[]): Promise<void> {
    const wanted = new Map(sends.map((send) => [send.key, send]));
    const limit = new Promise<void>((resolve) => setTimeout(resolve, LIMIT_MS).unref());
    const search = this.hub.attempt(async () => {
      await this.search(this.startFor(sends), wanted, () => wanted.size === 0);
      for (const send of wanted.values()) send.absent = send.entryId === undefined;
    });
    await Promise.race([search, limit]);
    for (const send of sends) if (!send.finished) this.timedOut(send);
  }

  /** Sweeps until a search went through the whole stream: what it did not find is not there. */
  private async sweepAll(): Promise<void> {
    this.sweeping = true;
    const sends = [...this.forgotten.values()];
    const wanted = new Map(this.forgotten);
    await this.hub.attempt(async () => {
      await this.search(this.startFor(sends), wanted, () => sends.every((send) => send.entryId !== undefined));
      for (const send of sends) this.forgotten.delete(send.key);
    });
    this.sweeping = false;
  }

  /** Where the earliest response can be: after its request, or since about when that was sent. */
  private startFor(sends: Send[]): string {
    const stored = sends.flatMap((send) => send.entryId ?? []);
    const sentAt = sends.flatMap((send) => (send.entryId === undefined ? (send.sentAt ?? 0) : []));
    const starts = stored.sort(compareIds).slice(0, 1).map((id) => `(${id}`);
    if (sentAt.length > 0) starts.push(`${Math.max(0, Math.floor(Math.min(...sentAt) - CLOCK_SLACK_MS))}-0`);
    return starts.sort((a, b) => compareIds(a.replace("(", ""), b.replace("(", "")))[0] ?? "-";
  }

  private async search(start: string, wanted: Map<string, Send>, enough: () => boolean): Promise<void> {
    let from = start;
    for (let count = commands.PAGE; ; count = Math.min(count * 2, LARGEST_PAGE)) {
      const page = entriesOf(await this.hub.call(commands.range(this.hub.names, from, count)));
      for (const entry of page) this.consider(entry, wanted);
      const last = page.at(-1);
      if (last === undefined || page.length < count || enough()) return;
      from = `(${last.entryId}`;
    }
  }

  private consider(entry: Entry, wanted: Map<string, Send>): void {
    if (entry.kind !== "request" && entry.kind !== "response") return;
    const send = wanted.get(keyOf(entry.id));
    if (send === undefined || !entry.instance.equals(Buffer.from(this.hub.names.instance))) return;
    const group = Buffer.from(this.hub.names.group);
    if (entry.kind === "request" && entry.source.equals(group)) {
      send.entryId = entry.entryId;
      if (send.finished) this.hub.writer.remove(entry.entryId);
    } else if (entry.kind === "response" && entry.destination.equals(group)) {
      this.hub.requester.deliver(entry);
      this.hub.writer.settle(entry.entryId);
      wanted.delete(send.key);
    }
  }
}
