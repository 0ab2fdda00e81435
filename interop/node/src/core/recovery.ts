import { ConnectFailed } from "../errors.js";
import * as commands from "../wire/commands.js";
import { FIRST, compareIds } from "../wire/entry-id.js";
import { RedisFault, isFault } from "../wire/faults.js";
import { entriesOf, lastDelivered, lastGenerated, pendingRows } from "../wire/replies.js";
import type { Hub } from "./hub.js";
import type { Keeper } from "./keeper.js";
import type { Reader } from "./reader.js";
import type { Registration } from "./registration.js";
import { startsOf } from "./starts.js";

const PENDING_PAGE = 500;

/** Makes an endpoint be there: at first, after the connection was lost, and after its group was (SPEC.md sections 6, 13). */
export class Recovery {
  constructor(
    private readonly hub: Hub,
    private readonly reader: Reader,
    private readonly keeper: Keeper,
    private readonly registration: Registration,
  ) {}

  /**
   * The first time: group, consumers, registration. Returns false where the dispatcher exists already: then the instance
   * id is somebody else's (RIPC-NAME-8), and nothing of it was touched.
   */
  async join(): Promise<boolean> {
    const { names } = this.hub;
    await this.makeGroup("$");
    if ((await this.hub.call(commands.createConsumer(names, names.dispatcher))) === 0) return false;
    await this.hub.call(commands.createConsumer(names, names.consumer));
    this.reader.lastRead = lastDelivered(await this.hub.call(commands.groups(names)), names.group);
    await this.registration.register();
    await this.hub.siblings.refresh();
    return true;
  }

  /** In the order of section 13. Reading what is new comes after it. */
  async rejoin(): Promise<void> {
    const { names, responder } = this.hub;
    if (await this.makeGroup(this.reader.lastRead ?? "$")) {
      await this.startAtNewStream();
      // The new group has nothing pending: what is in progress is answered, and cannot be claimed.
      for (const held of responder.all()) held.pinned = false;
    } else await this.keeper.keep(0);
    await this.hub.call(commands.createConsumer(names, names.dispatcher));
    await this.hub.call(commands.createConsumer(names, names.consumer));
    await this.registration.register();
    await responder.settleUnsure(responder.all().filter((held) => held.state === "unsure"));
    await this.readDispatcherList();
    await this.hub.ownList.read();
    await this.hub.siblings.refresh();
  }

  /**
   * Routes what Redis gave with a read whose reply was lost (RIPC-RECOV-3). XREADGROUP would add to the delivery count,
   * by which others count the starts.
   */
  async readDispatcherList(): Promise<void> {
    const { names, responder, writer, handOver, router } = this.hub;
    let start = "-";
    for (;;) {
      const rows = pendingRows(await this.hub.call(commands.pendingOf(names, names.dispatcher, start, "+", PENDING_PAGE)));
      for (const row of rows) {
        const known = responder.holds(row.entryId) || writer.isSettling(row.entryId) || handOver.has(row.entryId);
        if (known || row.idle >= commands.COUNTS_AS_GIVEN_BACK_MS) continue;
        const [entry] = entriesOf(await this.hub.call(commands.body(names, row.entryId)));
        router.route(entry ?? { kind: "bodyless", entryId: row.entryId }, startsOf(row));
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < PENDING_PAGE) return;
      start = `(${last.entryId}`;
    }
  }

  /** True where it was made; false where it was there. */
  private async makeGroup(at: string): Promise<boolean> {
    const [reply] = await this.hub.batch([commands.createGroup(this.hub.names, at)]);
    if (!isFault(reply)) return true;
    if (reply.kind === "busy-group") return false;
    throw reply;
  }

  /** RIPC-RECOV-9: on a stream that is a new one the last entry ID that was read says nothing. */
  private async startAtNewStream(): Promise<void> {
    const { names } = this.hub;
    const last = lastGenerated(await this.hub.call(commands.streamInfo(names)));
    if (this.reader.lastRead === undefined || compareIds(last, this.reader.lastRead) >= 0) return;
    await this.hub.call(commands.setGroup(names, "0"));
    this.reader.lastRead = FIRST;
  }
}

/** Why connecting failed, for people. */
export function connectFailed(fault: unknown, url: string): ConnectFailed {
  const reason = fault instanceof RedisFault ? fault.message : String(fault);
  // The password is nobody's business.
  const place = url.replace(/\/\/[^@/]*@/, "//");
  return new ConnectFailed(`cannot connect to ${place}: ${reason}`, { cause: fault });
}
