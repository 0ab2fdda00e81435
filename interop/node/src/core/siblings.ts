import * as commands from "../wire/commands.js";
import { keyOf } from "../wire/entry.js";
import { isFault } from "../wire/faults.js";
import { availabilityKey, instanceOf } from "../wire/names.js";
import { type ConsumerInfo, consumerInfos, list } from "../wire/replies.js";
import type { Hub } from "./hub.js";

/** From then on an unregistered consumer with nothing pending may be deleted, in ms (RIPC-LIFE-23). */
const ABANDONED_MS = 120_000;

interface Instance {
  readonly id: Buffer;
  readonly consumers: ConsumerInfo[];
}

/** Who else is in the group (RIPC-GROUP-8). Only the availability list proves that an instance lives (RIPC-GROUP-5). */
export class Siblings {
  private count = 0;

  constructor(private readonly hub: Hub) {}

  get present(): boolean {
    return this.count > 0;
  }

  async refresh(): Promise<void> {
    const { names } = this.hub;
    const others = this.instances(consumerInfos(await this.hub.call(commands.consumers(names))));
    const lists = await this.hub.batch(
      others.map(({ id }) => ["LRANGE", availabilityKey(names.stream, names.group, id), 0, -1]),
    );
    const fault = lists.find((reply) => isFault(reply) && reply.kind !== "permanent");
    if (isFault(fault)) throw fault;
    const registered = (i: number): boolean => !isFault(lists[i]) && list(lists[i] ?? []).length > 0;
    const before = this.count;
    this.count = others.filter((_, i) => registered(i)).length;
    if (before === 0 && this.count > 0) this.hub.responder.giveBackQueued();
    await this.deleteAbandoned(others.filter((_, i) => !registered(i)));
  }

  private instances(infos: ConsumerInfo[]): Instance[] {
    const instances = new Map<string, Instance>();
    for (const info of infos) {
      const id = instanceOf(info.name);
      if (id === undefined || keyOf(id) === this.hub.names.instance) continue;
      const key = keyOf(id);
      const instance = instances.get(key) ?? { id, consumers: [] };
      instance.consumers.push(info);
      instances.set(key, instance);
    }
    return [...instances.values()];
  }

  private async deleteAbandoned(unregistered: Instance[]): Promise<void> {
    const abandoned = unregistered.filter(({ consumers }) =>
      consumers.every(({ pending, idle }) => pending === 0 && idle > ABANDONED_MS),
    );
    const names = abandoned.flatMap(({ consumers }) => consumers.map(({ name }) => name));
    await this.hub.batch(names.map((name) => commands.deleteConsumer(this.hub.names, name)));
  }
}
