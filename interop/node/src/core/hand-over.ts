import { waitAtMost } from "../redis/wait.js";
import * as commands from "../wire/commands.js";
import { type Response, keyOf } from "../wire/entry.js";
import { isFault } from "../wire/faults.js";
import { wakeupChannel } from "../wire/names.js";
import type { HandOverPort, SharedWith, Sibling } from "./ports.js";

/** A response whose instance is not registered is kept for this long, in ms (RIPC-ROUTE-8). */
export const GRACE_MS = 12_000;
/** For so long a sibling that was seen needs not be asked for again, in ms. */
const SEEN_MS = 12_000;
/** After an answer that says nothing it is asked for again, in ms. */
const AGAIN_MS = 1000;

/**
 * read: nothing was done yet. asked: whether its instance is registered; again: after the grace. waiting: in its grace, in which
 * it is kept alive. handing over: the claim was sent. The machine `relay` of SPEC.md has the states after these, too.
 */
export type RelayState = "read" | "asked" | "waiting" | "asked again" | "handing over";

/** A response for a sibling, until it is that sibling's or settled. */
interface Relayed {
  readonly entryId: string;
  readonly instance: Buffer;
  state: RelayState;
  /** It waited for its grace before. */
  waited: boolean;
  timer?: NodeJS.Timeout;
}

/** Brings responses to the siblings that wait for them, or keeps them for a while (RIPC-GROUP-1, 2, 6, RIPC-ROUTE-7, 8). */
export class HandOver implements HandOverPort {
  /** By entry ID. */
  private readonly underWay = new Map<string, Relayed>();
  /** Since when each is here, by its own clock in ms: a lost connection does not begin the grace again. */
  private readonly since = new Map<string, number>();
  private ready: Relayed[] = [];

  constructor(private readonly shared: SharedWith<"writer" | "siblings" | "wakeups">) {}

  has(entryId: string): boolean {
    return this.underWay.has(entryId);
  }

  stateOf(entryId: string): RelayState | undefined {
    return this.underWay.get(entryId)?.state;
  }

  /** Responses that are kept alive, so that no sibling reclaims one and begins its grace again (RIPC-ROUTE-16). */
  kept(): string[] {
    return [...this.underWay.values()].filter(({ state }) => state === "waiting").map(({ entryId }) => entryId);
  }

  add({ entryId, instance }: Response): void {
    if (this.underWay.has(entryId)) return;
    const relayed: Relayed = { entryId, instance, state: "read", waited: false };
    this.underWay.set(entryId, relayed);
    this.since.set(entryId, this.since.get(entryId) ?? this.shared.now());
    this.enqueue(relayed);
  }

  /** An instance that was not registered may be by now. */
  siblingsSeen(): void {
    for (const relayed of this.underWay.values()) {
      if (relayed.state !== "waiting" || this.shared.siblings.find(relayed.instance) === undefined) continue;
      clearTimeout(relayed.timer);
      this.enqueue(relayed);
    }
  }

  /** The connection was lost: recovery finds again what was under way. */
  clear(): void {
    for (const { timer } of this.underWay.values()) clearTimeout(timer);
    for (const entryId of this.since.keys()) if (!this.underWay.has(entryId)) this.since.delete(entryId);
    this.underWay.clear();
    this.ready = [];
  }

  private enqueue(relayed: Relayed): void {
    relayed.state = "read";
    this.ready.push(relayed);
    if (this.ready.length === 1) setImmediate(() => void this.shared.attempt(() => this.bring(this.ready.splice(0))));
  }

  /** Many at a time travel together, those of one instance in one command. */
  private async bring(some: Relayed[]): Promise<void> {
    const { shared } = this;
    const loads = [...byInstance(some).values()];
    const seen = loads.map(([{ instance }]) => {
      const sibling = shared.siblings.find(instance);
      return sibling !== undefined && shared.now() - sibling.seenAt < SEEN_MS ? sibling : undefined;
    });
    const asked = loads.filter((_, i) => seen[i] === undefined);
    for (const relayed of asked.flat()) relayed.state = relayed.waited ? "asked again" : "asked";
    const given = loads.map((load, i) => seen[i] && this.give(load, seen[i]));
    const replies = asked.length === 0 ? [] : await shared.batch(asked.flatMap(([{ instance }]) => shared.siblings.questions(instance)));
    const brought = asked.map((load, i) => {
      const listed = replies[2 * i] ?? null;
      const sibling = shared.siblings.learn(load[0].instance, listed, replies[2 * i + 1] ?? null);
      if (sibling !== undefined) return this.give(load, sibling);
      for (const relayed of load) this.wait(relayed, !isFault(listed));
      return undefined;
    });
    await Promise.all([...given, ...brought]);
  }

  private async give(load: Load, sibling: Sibling): Promise<void> {
    const { names, wakeups } = this.shared;
    const ids = load.map(({ entryId }) => entryId);
    for (const relayed of load) relayed.state = "handing over";
    const [reply] = await this.shared.batch([commands.claim(names, sibling.consumer, 0, ids)]);
    if (isFault(reply) && reply.kind !== "lost" && reply.kind !== "unsent") {
      for (const relayed of load) this.waitFor(relayed, AGAIN_MS);
      return;
    }
    // Without a reply it is not sent again: what is still ours is found and routed like new (RIPC-RECOV-18).
    for (const relayed of load) this.forget(relayed);
    if (!isFault(reply) && sibling.wakeup) wakeups.wake(wakeupChannel(names.stream, names.group, load[0].instance));
  }

  /** Its instance is not registered: looks again after the grace. Then nobody waits for it. */
  private wait(relayed: Relayed, known: boolean): void {
    const { entryId } = relayed;
    const left = (this.since.get(entryId) ?? -Infinity) + GRACE_MS - this.shared.now();
    if (left <= 0 && known) {
      this.shared.writer.settle(entryId);
      this.forget(relayed);
    } else this.waitFor(relayed, left > 0 ? left : AGAIN_MS);
  }

  private waitFor(relayed: Relayed, ms: number): void {
    if (this.underWay.get(relayed.entryId) !== relayed) return; // the connection was lost meanwhile
    relayed.state = "waiting";
    relayed.waited = true;
    relayed.timer = setTimeout(() => {
      this.enqueue(relayed);
    }, waitAtMost(ms));
  }

  private forget(relayed: Relayed): void {
    if (this.underWay.get(relayed.entryId) !== relayed) return;
    this.underWay.delete(relayed.entryId);
    this.since.delete(relayed.entryId);
  }
}

/** Those of one instance. */
type Load = [Relayed, ...Relayed[]];

function byInstance(some: Relayed[]): Map<string, Load> {
  const loads = new Map<string, Load>();
  for (const relayed of some) {
    const key = keyOf(relayed.instance);
    const others = loads.get(key);
    if (others === undefined) loads.set(key, [relayed]);
    else others.push(relayed);
  }
  return loads;
}
