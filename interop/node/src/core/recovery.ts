import { ConnectFailed } from "../errors.js";
import { adviceAbout } from "../wire/advice.js";
import * as commands from "../wire/commands.js";
import { compareIds } from "../wire/entry-id.js";
import type { Entry } from "../wire/entry.js";
import { RedisFault, isFault } from "../wire/faults.js";
import { type PendingRow, claimedIds, consumerInfos, entriesOf, lastDelivered, lastGenerated, pendingRows } from "../wire/replies.js";
import { Held } from "./held.js";
import type { SharedWith } from "./ports.js";
import { claimsByIdle } from "./late-claim.js";
import { keepOurs, verify } from "./ownership.js";
import type { Reader } from "./reader.js";
import { startsOf } from "./starts.js";

const PENDING_PAGE = 500;
/** How often it starts again to make the group, since others may make and lose the stream meanwhile. */
const BEGINS = 3;

/** Brings an endpoint up: the first time, after a lost connection, and after a lost group (SPEC.md sections 6, 13). */
export class Recovery {
  constructor(
    private readonly shared: SharedWith<"writer" | "responder" | "router" | "siblings" | "handOver" | "ownList" | "registration">,
    private readonly reader: Reader,
  ) {}

  /**
   * The first time: group, consumers, registration. Returns false where the dispatcher exists already: then the instance
   * id is somebody else's (RIPC-NAME-8), and nothing of it was touched.
   */
  async join(): Promise<boolean> {
    const { shared } = this;
    const { names } = shared;
    const [made] = await shared.batch([commands.createGroup(names, "$", true)]);
    if (isFault(made) && made.kind !== "busy-group") throw made;
    if ((await shared.call(commands.createConsumer(names, names.dispatcher))) === 0) return false;
    await shared.call(commands.createConsumer(names, names.consumer));
    const [groups = null] = await shared.batch([commands.groups(names)]);
    if (!isFault(groups)) {
      this.reader.lastRead = lastDelivered(groups, names.group);
      shared.saw(this.reader.lastRead ?? "0-0");
    }
    await shared.registration.register();
    await shared.siblings.refresh(true);
    return true;
  }

  /** In the order of section 13. Reading what is new comes after it. */
  async rejoin(): Promise<void> {
    const { shared } = this;
    const { names, responder } = shared;
    this.reader.forgetRouted();
    // Checks before it makes anything: without memory, Redis also refuses to make what exists already.
    const [groups = null, consumers = null] = await shared.batch([commands.groups(names), commands.consumers(names)]);
    if (isFault(groups) && groups.kind !== "group-lost") throw groups;
    const there = new Set(isFault(consumers) ? [] : consumerInfos(consumers).map(({ name }) => name.toString("latin1")));
    if (isFault(groups) || lastDelivered(groups, names.group) === undefined) {
      there.clear();
      for (const name of await this.makeGroup()) there.add(name);
    }
    // Early, so that no member reclaims what is in progress; and only what is still ours (RIPC-RECOV-5, RIPC-GROUP-11).
    const held = responder.all().filter((one) => !one.stranded);
    // The request of such an answer is gone, so no look can show whether the answer was written.
    for (const one of responder.all()) if (one.stranded && one.state === "unsure") responder.leave(one);
    const ours = await keepOurs(shared, held, true);
    const missing = [names.dispatcher, names.consumer].filter((name) => !there.has(name));
    await shared.callAll(missing.map((name) => commands.createConsumer(names, name)));
    await shared.registration.register();
    for (const one of ours) responder.answers.notWritten(one);
    await this.readDispatcherList();
    await shared.ownList.read();
    await shared.siblings.refresh(true);
  }

  /**
   * Routes what Redis gave with a read whose reply was lost (RIPC-RECOV-3). XREADGROUP would add to the delivery count,
   * by which others count the starts.
   */
  async readDispatcherList(): Promise<void> {
    const { shared } = this;
    const { names } = shared;
    const { breakers } = shared;
    const suspected: PendingRow[] = [];
    let start = "-";
    for (;;) {
      const rows = pendingRows(await shared.call(commands.pendingOf(names, names.dispatcher, start, "+", PENDING_PAGE)));
      const found = rows.filter((row) => row.idle < commands.GIVEN_BACK_FROM_MS && !this.isKnown(row.entryId));
      const fresh = found.filter((row) => breakers.trusts(row.entryId));
      suspected.push(...found.filter((row) => !breakers.trusts(row.entryId)));
      for (let at = 0; at < fresh.length; ) {
        const some = fresh.slice(at, at + shared.sizes.count(PENDING_PAGE));
        await this.routeFound(some);
        at += some.length;
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < PENDING_PAGE) break;
      start = `(${last.entryId}`;
    }
    // Their bodies may break the connection: each is read alone, after all others (RIPC-RECOV-28).
    for (const row of breakers.alone(suspected, shared.now())) await this.routeFound([row]);
    breakers.later(suspected);
  }

  private isKnown(entryId: string): boolean {
    const { responder, writer, handOver } = this.shared;
    return responder.holds(entryId) || writer.isSettling(entryId) || handOver.has(entryId);
  }

  /** Claimed before they are routed: they may have been idle for long, and another member may be about to take them (RIPC-RECOV-19). */
  private async routeFound(rows: PendingRow[]): Promise<void> {
    const { shared, reader } = this;
    const { names, writer, router } = shared;
    const bodies = await shared.callAll(rows.map((row) => commands.body(names, row.entryId)));
    const there: [PendingRow, Entry][] = [];
    rows.forEach((row, i) => {
      const [entry] = entriesOf(bodies[i] ?? []);
      if (this.isKnown(row.entryId)) return;
      if (entry === undefined) writer.acknowledge(row.entryId);
      else if (!reader.hasRouted(row.entryId)) there.push([row, entry]);
    });
    const kept = await this.claimFound(there);
    for (const [row, entry] of there) {
      const keptAt = kept.get(row.entryId);
      if (keptAt === undefined || this.isKnown(row.entryId)) continue;
      reader.foundInList(row.entryId);
      router.route(entry, startsOf(row), keptAt);
    }
  }

  /** When each that is ours was claimed; what the replies lack is looked at (RIPC-GROUP-32). */
  private async claimFound(there: [PendingRow, Entry][]): Promise<Map<string, number>> {
    const { shared } = this;
    const at = shared.now();
    const replies = await shared.callAll(claimsByIdle(shared, there.map(([row]) => [row.entryId, row.idle])));
    const kept = new Map(replies.flatMap(claimedIds).map((id) => [id, at]));
    const missing = there.flatMap(([row, entry]) =>
      kept.has(row.entryId) || entry.kind !== "request" ? [] : [new Held(entry, startsOf(row), at)],
    );
    if (missing.length > 0) for (const held of (await verify(shared, missing, true)).ours) kept.set(held.entryId, held.keptAt);
    return kept;
  }

  /**
   * At the last ID that was read, or from the start where the stream is another one (RIPC-RECOV-8, 9, 20). Returns the consumers
   * that it made. They follow at once, since a send may read its own list meanwhile (RIPC-NAME-7).
   */
  private async makeGroup(): Promise<string[]> {
    const { shared } = this;
    const own = [shared.names.dispatcher, shared.names.consumer];
    let fault = new RedisFault("unknown", "the group could not be made");
    for (let i = 0; i < BEGINS; i++) {
      const [about = null] = await shared.batch([commands.streamInfo(shared.names)]);
      if (isFault(about) && about.kind !== "group-lost") throw about;
      const last = isFault(about) ? "0-0" : lastGenerated(about);
      const known = this.reader.lastRead;
      // A stream that is gone counts as a new one, even if nothing was ever read from it.
      const isAnother = known === undefined || isFault(about) || compareIds(last, known) < 0;
      if (compareIds(last, shared.highest) < 0) shared.highest = last;
      if (isAnother) this.reader.lastRead = "0";
      const create = commands.createGroup(shared.names, isAnother ? "0" : known, isAnother);
      const [made, ...consumers] = await shared.batch([create, ...own.map((name) => commands.createConsumer(shared.names, name))]);
      if (!isFault(made) || made.kind === "busy-group") return own.filter((_, i) => !isFault(consumers[i]));
      if (made.kind !== "group-lost") throw made;
      fault = made;
    }
    throw fault;
  }
}

/** Why connecting failed, for people. */
export function connectFailed(fault: unknown, url: string): ConnectFailed {
  const said = fault instanceof RedisFault ? fault.message : String(fault);
  // Without the password.
  const place = url.replace(/\/\/[^@/]*@/, "//");
  const advice = adviceAbout(said) || "; is Redis running there, and is it the one that url names?";
  return new ConnectFailed(`cannot connect to ${place}: ${said.replace(/\.$/, "")}${advice}`, { cause: fault });
}
