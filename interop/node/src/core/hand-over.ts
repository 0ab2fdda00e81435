import * as commands from "../wire/commands.js";
import { type Response, keyOf } from "../wire/entry.js";
import { isFault } from "../wire/faults.js";
import { wakeupChannel } from "../wire/names.js";
import type { Hub } from "./hub.js";
import type { Sibling } from "./siblings.js";
import { waitAtMost } from "./timers.js";

/** A response whose instance is not registered is kept for this long, in ms (RIPC-ROUTE-8). */
export const GRACE_MS = 12_000;
/** For so long a sibling that was seen needs not be asked for again, in ms. */
const FRESH_MS = 12_000;
/** After an answer that says nothing it is asked for again, in ms. */
const AGAIN_MS = 1000;

interface Parcel {
  readonly entryId: string;
  readonly instance: Buffer;
}

/** Brings responses to the siblings that wait for them, or keeps them for a while (RIPC-GROUP-1, 2, 6, RIPC-ROUTE-7, 8). */
export class HandOver {
  /** Entries that are being brought, or wait for their instance to register. */
  private readonly underWay = new Set<string>();
  /** Since when each is here, by the own clock in ms: a lost connection does not begin the grace anew. */
  private readonly since = new Map<string, number>();
  private readonly waiting = new Map<string, { parcel: Parcel; timer: NodeJS.Timeout }>();
  private parcels: Parcel[] = [];

  constructor(private readonly hub: Hub) {}

  has(entryId: string): boolean {
    return this.underWay.has(entryId);
  }

  /** What is kept alive, so that no sibling reclaims it and begins the grace anew (RIPC-ROUTE-16). */
  kept(): string[] {
    return [...this.waiting.keys()];
  }

  add({ entryId, instance }: Response): void {
    if (this.underWay.has(entryId)) return;
    this.underWay.add(entryId);
    this.since.set(entryId, this.since.get(entryId) ?? this.hub.now());
    this.enqueue({ entryId, instance });
  }

  /** Who was not registered may be by now. */
  siblingsSeen(): void {
    for (const { parcel, timer } of [...this.waiting.values()]) {
      if (this.hub.siblings.find(parcel.instance) === undefined) continue;
      clearTimeout(timer);
      this.waiting.delete(parcel.entryId);
      this.enqueue(parcel);
    }
  }

  /** The connection was lost: recovery finds again what was under way. */
  clear(): void {
    for (const { timer } of this.waiting.values()) clearTimeout(timer);
    for (const entryId of this.since.keys()) if (!this.underWay.has(entryId)) this.since.delete(entryId);
    this.waiting.clear();
    this.underWay.clear();
    this.parcels = [];
  }

  private enqueue(parcel: Parcel): void {
    this.parcels.push(parcel);
    if (this.parcels.length === 1) setImmediate(() => void this.hub.attempt(() => this.bring(this.parcels.splice(0))));
  }

  /** Many at a time travel together, those of one instance in one command. */
  private async bring(parcels: Parcel[]): Promise<void> {
    const { hub } = this;
    const loads = [...byInstance(parcels).values()];
    const seen = loads.map(([{ instance }]) => {
      const sibling = hub.siblings.find(instance);
      return sibling !== undefined && hub.now() - sibling.seenAt < FRESH_MS ? sibling : undefined;
    });
    const asked = loads.filter((_, i) => seen[i] === undefined);
    const given = loads.map((load, i) => seen[i] && this.give(load, seen[i]));
    const replies = asked.length === 0 ? [] : await hub.batch(asked.flatMap(([{ instance }]) => hub.siblings.questions(instance)));
    const brought = asked.map((load, i) => {
      const listed = replies[2 * i] ?? null;
      const sibling = hub.siblings.learn(load[0].instance, listed, replies[2 * i + 1] ?? null);
      if (sibling !== undefined) return this.give(load, sibling);
      for (const parcel of load) this.wait(parcel, !isFault(listed));
      return undefined;
    });
    await Promise.all([...given, ...brought]);
  }

  private async give(load: [Parcel, ...Parcel[]], sibling: Sibling): Promise<void> {
    const { names, wakeups } = this.hub;
    const ids = load.map(({ entryId }) => entryId);
    const [reply] = await this.hub.batch([commands.claim(names, sibling.consumer, 0, ids)]);
    if (isFault(reply) && reply.kind !== "lost" && reply.kind !== "unsent") {
      for (const parcel of load) this.waitFor(parcel, AGAIN_MS);
      return;
    }
    // Without a reply it is not sent again: what is still ours is found and routed like new (RIPC-RECOV-18).
    for (const id of ids) {
      this.underWay.delete(id);
      this.since.delete(id);
    }
    if (!isFault(reply) && sibling.wakeup) wakeups.wake(wakeupChannel(names.stream, names.group, load[0].instance));
  }

  /** Its instance is not registered: looks again after the grace. Then nobody waits for it. */
  private wait(parcel: Parcel, known: boolean): void {
    const { entryId } = parcel;
    const left = (this.since.get(entryId) ?? -Infinity) + GRACE_MS - this.hub.now();
    if (left <= 0 && known) {
      this.hub.writer.settle(entryId);
      this.underWay.delete(entryId);
      this.since.delete(entryId);
    } else this.waitFor(parcel, left > 0 ? left : AGAIN_MS);
  }

  private waitFor(parcel: Parcel, ms: number): void {
    if (!this.underWay.has(parcel.entryId)) return; // the connection was lost meanwhile
    const timer = setTimeout(() => {
      this.waiting.delete(parcel.entryId);
      this.enqueue(parcel);
    }, waitAtMost(ms));
    this.waiting.set(parcel.entryId, { parcel, timer });
  }
}

function byInstance(parcels: Parcel[]): Map<string, [Parcel, ...Parcel[]]> {
  const loads = new Map<string, [Parcel, ...Parcel[]]>();
  for (const parcel of parcels) {
    const key = keyOf(parcel.instance);
    const others = loads.get(key);
    if (others === undefined) loads.set(key, [parcel]);
    else others.push(parcel);
  }
  return loads;
}
