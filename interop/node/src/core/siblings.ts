import * as commands from "../wire/commands.js";
import type { Command } from "../wire/commands.js";
import { keyOf } from "../wire/entry.js";
import { isFault } from "../wire/faults.js";
import { announcementKey, availabilityKey, instanceOf } from "../wire/names.js";
import { type ConsumerInfo, type Reply, consumerInfos } from "../wire/replies.js";
import { announcedBy } from "./announcement.js";
import { deleteConsumers } from "./restoring.js";
import type { SharedWith, Sibling, SiblingsPort } from "./ports.js";

/** After so long, an unregistered consumer with nothing pending may be deleted, in ms (RIPC-LIFE-23). */
export const DEAD_CONSUMER_MS = 120_000;
/** The instance that deletes it must have been connected for so long, in ms: after an outage, all look unused. */
export const CONNECTED_BEFORE_DELETE_MS = 100_000;
/** How long after a look its consumers may be deleted because of it, in ms (RIPC-LIFE-23). */
export const LOOK_BEFORE_DELETE_MS = 3000;
/** A known sibling is checked at every third look, so within 30 s (RIPC-GROUP-8): each check costs two commands (RIPC-LIFE-14). */
const ASKED_EVERY = 3;
/** One that was not seen for so long, over two and a half looks, is checked at once, in ms. */
const UNSEEN_MS = 20_000;

interface Instance {
  readonly id: Buffer;
  readonly consumers: ConsumerInfo[];
}

/** The other members of the group (RIPC-GROUP-8). Only the availability list proves that an instance lives (RIPC-GROUP-5). */
export class Siblings implements SiblingsPort {
  private known = new Map<string, Sibling>();
  private turn = 0;

  constructor(private readonly shared: SharedWith<"responder" | "handOver">) {}

  get present(): boolean {
    return this.known.size > 0;
  }

  /** How many siblings may run requests. */
  get responders(): number {
    return [...this.known.values()].filter(({ responder }) => responder).length;
  }

  find(instance: Buffer): Sibling | undefined {
    return this.known.get(keyOf(instance));
  }

  /** `everybody`: after a connect, known ones are checked as well. */
  async refresh(everybody = false): Promise<void> {
    const { shared } = this;
    const { names } = shared;
    const [reply = null] = await shared.batch([commands.consumers(names)]);
    // Without the right to look, the group counts as one of a single instance.
    if (isFault(reply) && reply.kind !== "permanent") throw reply;
    const others = this.instances(isFault(reply) ? [] : consumerInfos(reply));
    const asked = everybody ? others : this.dueOf(others);
    const replies = asked.length === 0 ? [] : await shared.batch(asked.flatMap(({ id }) => this.questions(id)));
    const fault = replies.find((one) => isFault(one) && one.kind !== "permanent");
    if (isFault(fault)) throw fault;
    const before = this.known;
    const there = new Set(others.map(({ id }) => keyOf(id)));
    this.known = new Map([...before].filter(([key]) => there.has(key)));
    asked.forEach(({ id }, i) => this.learn(id, replies[2 * i] ?? null, replies[2 * i + 1] ?? null, before));
    if (this.responders > 0) shared.responder.siblingsCame();
    shared.handOver.siblingsSeen();
    await this.deleteDead(asked.filter((_, i) => isEmpty(replies[2 * i])));
  }

  /** Those that are new, and every third of the others. */
  private dueOf(others: Instance[]): Instance[] {
    const now = this.shared.now();
    this.turn += 1;
    return others.filter(({ id }, i) => {
      const sibling = this.known.get(keyOf(id));
      return sibling === undefined || (i + this.turn) % ASKED_EVERY === 0 || now - sibling.seenAt > UNSEEN_MS;
    });
  }

  /** Whether an instance is registered, and what it says about itself. */
  questions(instance: Buffer): Command[] {
    const { stream, group } = this.shared.names;
    return [
      ["LRANGE", availabilityKey(stream, group, instance), 0, -1],
      ["GET", announcementKey(stream, group, instance)],
    ];
  }

  /** The replies to the questions. Undefined: it is not registered. */
  learn(instance: Buffer, listed: Reply, announcement: Reply, before = this.known): Sibling | undefined {
    const key = keyOf(instance);
    // A malformed list names no instance, since any client can write there. A list that may not be read changes nothing.
    const list = isFault(listed) ? undefined : (listed as Buffer[]);
    const preferred = `consumer_${key}_0`;
    const consumer = list?.find((name) => keyOf(name) === preferred) ?? list?.[0];
    if (consumer === undefined) {
      if (list !== undefined) this.known.delete(key);
      return list === undefined ? before.get(key) : undefined;
    }
    const sibling = { consumer, ...announcedBy(announcement), seenAt: this.shared.now() };
    this.known.set(key, sibling);
    return sibling;
  }

  private instances(infos: ConsumerInfo[]): Instance[] {
    const instances = new Map<string, Instance>();
    for (const info of infos) {
      const id = instanceOf(info.name);
      if (id === undefined || keyOf(id) === this.shared.names.instance) continue;
      const key = keyOf(id);
      const instance = instances.get(key) ?? { id, consumers: [] };
      instance.consumers.push(info);
      instances.set(key, instance);
    }
    return [...instances.values()];
  }

  /** Deletes consumers that nobody uses any more (RIPC-LIFE-23). */
  private async deleteDead(unregistered: Instance[]): Promise<void> {
    const { shared } = this;
    if (!shared.live || shared.now() - shared.liveSince < CONNECTED_BEFORE_DELETE_MS) return;
    const dead = abandoned(unregistered);
    if (dead.length === 0) return;
    // Another look at them alone: an instance may have just come back.
    const at = shared.now();
    const lists = dead.map(({ id }): Command => ["LRANGE", availabilityKey(shared.names.stream, shared.names.group, id), 0, -1]);
    const [infos = null, ...listed] = await shared.callAll([commands.consumers(shared.names), ...lists]);
    const unlisted = new Set(dead.filter((_, i) => isEmpty(listed[i])).map(({ id }) => keyOf(id)));
    const stillDead = abandoned(this.instances(consumerInfos(infos)).filter(({ id }) => unlisted.has(keyOf(id))));
    await deleteConsumers(shared, stillDead.flatMap(({ consumers }) => consumers.map(({ name }) => name)), at + LOOK_BEFORE_DELETE_MS);
  }
}

/** Those with nothing pending, whose consumers were unused for long. */
function abandoned(instances: Instance[]): Instance[] {
  return instances.filter(({ consumers }) => consumers.every(({ pending, idle }) => pending === 0 && idle > DEAD_CONSUMER_MS));
}

function isEmpty(reply: Reply | undefined): boolean {
  return Array.isArray(reply) && reply.length === 0;
}
