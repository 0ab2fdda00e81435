import * as commands from "../wire/commands.js";
import { type Response, keyOf } from "../wire/entry.js";
import { isFault } from "../wire/faults.js";
import { announcementKey, availabilityKey, wakeupChannel } from "../wire/names.js";
import { type Reply, list } from "../wire/replies.js";
import { announcesWakeup } from "./announcement.js";
import type { Hub } from "./hub.js";

/** A response whose instance is not registered is kept for this long, in ms (RIPC-ROUTE-8). */
const GRACE_MS = 5000;

interface Parcel {
  readonly response: Response;
  /** It has waited for its instance once. */
  readonly waited: boolean;
}

/** Brings responses to the siblings that wait for them (RIPC-GROUP-1, 2, 6). */
export class HandOver {
  /** Entries that are being brought, or wait for their instance to register. */
  private readonly underWay = new Set<string>();
  private readonly graces = new Set<NodeJS.Timeout>();
  private parcels: Parcel[] = [];

  constructor(private readonly hub: Hub) {}

  has(entryId: string): boolean {
    return this.underWay.has(entryId);
  }

  add(response: Response): void {
    if (this.underWay.has(response.entryId)) return;
    this.underWay.add(response.entryId);
    this.enqueue({ response, waited: false });
  }

  /** The connection was lost: recovery finds again what was under way. */
  clear(): void {
    for (const timer of this.graces) clearTimeout(timer);
    this.graces.clear();
    this.underWay.clear();
    this.parcels = [];
  }

  private enqueue(parcel: Parcel): void {
    this.parcels.push(parcel);
    if (this.parcels.length === 1) setImmediate(() => void this.hub.attempt(() => this.bring(this.parcels.splice(0))));
  }

  /** Many at a time travel together, those of one instance in one command. */
  private async bring(parcels: Parcel[]): Promise<void> {
    const byInstance = new Map<string, [Parcel, ...Parcel[]]>();
    for (const parcel of parcels) {
      const key = keyOf(parcel.response.instance);
      const others = byInstance.get(key);
      if (others === undefined) byInstance.set(key, [parcel]);
      else others.push(parcel);
    }
    const { stream, group } = this.hub.names;
    const loads = [...byInstance.values()];
    const looks = await this.hub.batch(
      loads.flatMap(([{ response }]) => [
        ["LRANGE", availabilityKey(stream, group, response.instance), 0, -1] as const,
        ["GET", announcementKey(stream, group, response.instance)] as const,
      ]),
    );
    await Promise.all(loads.map((load, i) => this.bringTo(load, looks[2 * i] ?? null, looks[2 * i + 1] ?? null)));
  }

  private async bringTo(load: [Parcel, ...Parcel[]], consumers: Reply, announcement: Reply): Promise<void> {
    const { names, wakeups } = this.hub;
    // A list that is none (anybody can write there) names nobody.
    const alive = isFault(consumers) ? [] : (list(consumers) as Buffer[]);
    const chosen = alive[Math.floor(Math.random() * alive.length)];
    if (chosen === undefined) {
      const known = !isFault(consumers) || consumers.kind === "permanent";
      for (const parcel of load) this.wait(parcel, known);
      return;
    }
    const ids = load.map(({ response }) => response.entryId);
    try {
      await this.hub.call(commands.claim(names, chosen, 0, ids));
    } finally {
      // Where it failed the entries are still ours, and are found again as any that nobody works on.
      for (const id of ids) this.underWay.delete(id);
    }
    if (announcesWakeup(announcement)) wakeups.wake(wakeupChannel(names.stream, names.group, load[0].response.instance));
  }

  /** Its instance is not registered: looks again after the grace. Then nobody waits for it. */
  private wait({ response, waited }: Parcel, known: boolean): void {
    if (!known) {
      this.underWay.delete(response.entryId);
      return;
    }
    if (waited) {
      this.hub.writer.settle(response.entryId);
      this.underWay.delete(response.entryId);
      return;
    }
    const timer = setTimeout(() => {
      this.graces.delete(timer);
      this.enqueue({ response, waited: true });
    }, GRACE_MS);
    this.graces.add(timer);
  }
}
