import * as commands from "../wire/commands.js";
import type { Entry } from "../wire/entry.js";
import { isFault } from "../wire/faults.js";
import { type PendingRow, claimedIds, entriesOf, pendingRows } from "../wire/replies.js";
import { largest } from "./sizes.js";
import { MOST_STARTS, startsOf } from "./starts.js";
import { RECLAIM_MS, SUSPECT_MS, Suspects } from "./suspects.js";
import { RepeatedTask } from "./timers.js";
import type { ReclaimerPort, SharedWith } from "./ports.js";

/** The connection that writes is used at least so often, in ms: silence on it is noticed within 6 s. */
export const RECLAIM_LOOK_MS = 2800;
/** For so long after a connect, and after Redis refused all writes, nothing is taken from others, in ms (RIPC-RECOV-7, 17). */
export const HOLD_MS = 10_000;
/** A look checks more given-back entries than there is room for: siblings want the same ones, and some are gone. */
const SPARE = 8;
/** A member that gets the group's wake-up looks within this time, in ms, so that not all look at once (RIPC-GROUP-26). */
export const WOKEN_MS = 50;
/** So many bodies of a dead member are read at once at most: nobody has seen how large they are. */
const BODIES_AT_ONCE = 32;
const NEVER_MS = 2 ** 30;

/** Takes over requests that dead members left, and that living ones gave back (SPEC.md section 11). */
export class Reclaimer implements ReclaimerPort {
  private readonly suspects = new Suspects();
  /** There may be given-back requests. */
  private someGivenBack = false;
  /** A dead member left more requests than there was room for. */
  private someLeft = false;
  /** By its own clock, in ms: nothing of others is reclaimed sooner, and nothing that was given back is taken. */
  private notBefore = 0;
  private givenNotBefore = 0;
  /** Requests that were given back are searched; and one of them is routed at this moment. */
  private taking = false;
  private routing = false;
  private readonly looks = new RepeatedTask(async () => {
    await this.shared.attempt(() => this.look());
    return this.nextIn();
  });
  private readonly takes = new RepeatedTask(async () => {
    this.taking = true;
    try {
      await this.shared.attempt(() => this.takeGivenBack());
    } finally {
      this.taking = false;
      this.shared.responder.startBehind();
    }
    return NEVER_MS; // only when it is asked to
  });

  constructor(private readonly shared: SharedWith<"writer" | "responder" | "router" | "handOver">) {}

  /** Connected: Redis' down time counts as idle. `again`: not for the first time. */
  start(again: boolean): void {
    this.notBefore = this.shared.now() + HOLD_MS;
    // After the first connect a service takes back at once what it gave back when it ended.
    if (again) this.givenNotBefore = this.notBefore;
    this.looks.start();
    this.takes.start();
  }

  async stop(): Promise<void> {
    this.suspects.clear();
    await Promise.all([this.looks.stop(), this.takes.stop()]);
  }

  /** Whether new requests wait for given-back ones (RIPC-GROUP-34). */
  get takesBack(): boolean {
    return this.taking && !this.routing;
  }

  /** Redis refused a write: the claims of others may have been refused for as long (RIPC-RECOV-17). */
  hold(): void {
    this.notBefore = Math.max(this.notBefore, this.shared.now() + HOLD_MS);
  }

  /** A handler is free (RIPC-GROUP-33). */
  roomFound(): void {
    if (this.someGivenBack) this.takes.soon();
    if (this.someLeft) this.looks.soon();
    this.someLeft = false;
  }

  gaveBack(): void {
    this.someGivenBack = true;
  }

  /** The group's wake-up: a member gave something back, or came (RIPC-GROUP-26). Its content does not matter. */
  woken(): void {
    this.someGivenBack = true;
    if (this.shared.responder.capacity > 0) this.takes.within(Math.random() * WOKEN_MS);
  }

  private nextIn(): number {
    const now = this.shared.now();
    const usual = this.suspects.nextIn(now, RECLAIM_LOOK_MS);
    return now < this.notBefore ? Math.min(usual, this.notBefore - now + 1) : usual;
  }

  /** All suspects, page by page, so that live entries hide no dead ones (RIPC-GROUP-22). */
  async look(): Promise<void> {
    const { shared } = this;
    const { names, pauses } = shared;
    if (shared.closing || pauses.lacks("look", shared.now()) || shared.now() < pauses.writes.until) return;
    const ripe: PendingRow[] = [];
    const responses: PendingRow[] = [];
    const now = shared.now();
    const listed = new Set<string>();
    let givenBack = false;
    let start = "-";
    for (;;) {
      // If Redis refuses this write, it refuses the claims of others, too. Then the look does not count (RIPC-GROUP-29).
      const replies = await shared.batch([commands.use(names, names.dispatcher), commands.pendingIdle(names, SUSPECT_MS, start)]);
      const fault = replies.find(isFault);
      if (fault?.kind === "permanent") pauses.forbidden("look", fault, now);
      if (fault !== undefined) throw fault;
      const page = pendingRows(replies[1] ?? []);
      for (const row of page) {
        listed.add(row.entryId);
        if (row.idle >= commands.RESPONSE_FROM_MS) responses.push(row);
        else if (row.idle >= commands.GIVEN_BACK_FROM_MS) givenBack = true;
        else if (this.concernsUs(row) && this.suspects.seen(row, now)) ripe.push(row);
      }
      const last = page.at(-1);
      if (last === undefined || page.length < commands.PAGE) break;
      start = `(${last.entryId}`;
    }
    this.suspects.keepOnly(listed);
    this.someGivenBack ||= givenBack;
    if (givenBack) this.takes.soon();
    await this.takeResponses(responses.filter((row) => this.concernsUs(row) && this.mayTakeBack(row)));
    await this.takeLost(ripe);
  }

  /** Responses need no room, so each body that may be one is read (RIPC-GROUP-17). Requests follow while there is room. */
  private async takeLost(ripe: readonly PendingRow[]): Promise<void> {
    const { shared, suspects } = this;
    const { sizes, breakers, responder } = shared;
    const since = ({ entryId }: PendingRow) => suspects.requestAt(entryId);
    const trusted = ripe.filter(({ entryId }) => breakers.trusts(entryId));
    const requests = trusted.filter((row) => since(row) !== undefined).sort((a, b) => (since(a) ?? 0) - (since(b) ?? 0));
    // The bodies of requests may be gone by now: of these, those that were read least lately (RIPC-GROUP-16).
    const unread = [...trusted.filter((row) => since(row) === undefined), ...requests.slice(0, sizes.count(commands.PAGE))];
    while (unread.length > 0) await this.sift(unread.splice(0, Math.min(BODIES_AT_ONCE, sizes.count(commands.PAGE))));
    for (const row of ripe.filter((each) => since(each) !== undefined)) {
      this.someLeft = responder.capacity <= 0;
      if (this.someLeft || shared.now() < this.notBefore) break;
      await this.take(row, false);
    }
    const doubtful = ripe.filter(({ entryId }) => !breakers.trusts(entryId));
    for (const row of breakers.alone(doubtful, shared.now())) if (shared.now() >= this.notBefore) await this.take(row, false);
  }

  /** Takes what is no request, and notes the requests. */
  private async sift(rows: readonly PendingRow[]): Promise<void> {
    const { shared } = this;
    const { names, writer, router, sizes } = shared;
    if (shared.now() < this.notBefore) return;
    const bodies = await shared.callAll(rows.map(({ entryId }) => commands.body(names, entryId)));
    const entries = bodies.map((body) => entriesOf(body)[0]);
    sizes.saw(largest(entries.filter((entry) => entry !== undefined)));
    const found: [PendingRow, Entry][] = [];
    rows.forEach((row, i) => {
      const entry = entries[i];
      if (entry === undefined) writer.acknowledge(row.entryId); // RIPC-GROUP-16
      else if (entry.kind === "request" && router.isForUs(entry)) this.suspects.isRequest(row.entryId, shared.now());
      else found.push([row, entry]);
    });
    const at = shared.now();
    const replies = await shared.callAll(found.map(([row]) => this.takeOver(row, startsOf(row) + 1)));
    found.forEach(([row, entry], i) => {
      if (claimedIds(replies[i] ?? []).includes(row.entryId)) router.route(entry, 1, at);
    });
  }

  /** For some time after a reconnect only what it gave back itself (RIPC-RECOV-7). */
  private mayTakeBack({ owner }: PendingRow): boolean {
    const { shared } = this;
    return shared.now() >= this.givenNotBefore || owner.equals(Buffer.from(shared.names.dispatcher));
  }

  /** Many at a time, with or without room: their mark tells them from requests (RIPC-GROUP-25). */
  private async takeResponses(rows: PendingRow[]): Promise<void> {
    const { shared } = this;
    const { sizes, breakers } = shared;
    const trusted = rows.filter(({ entryId }) => breakers.trusts(entryId));
    while (trusted.length > 0) await this.takeSome(trusted.splice(0, sizes.count(commands.PAGE)));
    for (const row of breakers.alone(rows.filter(({ entryId }) => !breakers.trusts(entryId)), shared.now())) await this.take(row, true);
  }

  private async takeSome(rows: readonly PendingRow[]): Promise<void> {
    const { shared } = this;
    const { names, writer, router } = shared;
    const bodies = await shared.callAll(rows.map(({ entryId }) => commands.body(names, entryId)));
    const found: Entry[] = [];
    rows.forEach(({ entryId }, at) => {
      const [entry] = entriesOf(bodies[at] ?? []);
      if (entry === undefined) writer.acknowledge(entryId); // RIPC-GROUP-16
      else if (entry.kind === "request" && router.isForUs(entry)) this.markedLikeResponse();
      else found.push(entry);
    });
    if (found.length === 0) return;
    const at = shared.now();
    const claim = commands.claim(names, names.dispatcher, commands.GIVEN_BACK_FROM_MS, found.map(({ entryId }) => entryId));
    const claimed = new Set(claimedIds(await shared.call(claim)));
    for (const entry of found) if (claimed.has(entry.entryId)) router.route(entry, 1, at);
  }

  /** A request: it is taken as any other, if there is room. */
  private markedLikeResponse(): void {
    this.someGivenBack = true;
    this.takes.soon();
  }

  private concernsUs({ entryId, owner }: PendingRow): boolean {
    const { names, responder, writer, handOver } = this.shared;
    if (owner.equals(Buffer.from(names.consumer))) return false; // read by itself
    return !responder.holds(entryId) && !writer.isSettling(entryId) && !handOver.has(entryId);
  }

  /** Bodies that may break the connection come last, and one that has just broken it is not read (RIPC-RECOV-28). */
  private readable(rows: readonly PendingRow[]): PendingRow[] {
    const { breakers } = this.shared;
    const suspected = rows.filter(({ entryId }) => !breakers.trusts(entryId));
    if (suspected.length === 0) return [...rows];
    return [...rows.filter(({ entryId }) => breakers.trusts(entryId)), ...breakers.alone(suspected, this.shared.now())];
  }

  private async takeGivenBack(): Promise<void> {
    const { shared } = this;
    const { names, responder } = shared;
    if (shared.closing) return;
    let start = "-";
    do {
      const count = Math.min(responder.capacity, commands.PAGE) + SPARE;
      const rows = pendingRows(await shared.call(commands.pendingIdle(names, commands.GIVEN_BACK_FROM_MS, start, count)));
      for (const row of this.readable(rows)) {
        if (this.mayTakeBack(row)) await this.take(row, true);
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < count) {
        this.someGivenBack &&= rows.length > 0;
        return;
      }
      start = `(${last.entryId}`;
    } while (responder.capacity > 0);
  }

  /** Claims one entry, where it is still idle for that long, and routes it. */
  private async take(row: PendingRow, givenBack: boolean): Promise<void> {
    const { shared } = this;
    const { names, writer, router, responder } = shared;
    if (!this.concernsUs(row)) return;
    const [entry] = entriesOf(await shared.call(commands.body(names, row.entryId)));
    if (entry === undefined) {
      writer.acknowledge(row.entryId); // RIPC-GROUP-16
      return;
    }
    if (entry.kind === "request" && router.isForUs(entry) && responder.capacity <= 0) return;
    const starts = startsOf(row) + (givenBack ? 0 : 1);
    const at = shared.now();
    // A give-back leaves the count as it is (RIPC-GROUP-27).
    const claim = givenBack
      ? commands.claim(names, names.dispatcher, commands.GIVEN_BACK_FROM_MS, [row.entryId])
      : this.takeOver(row, starts);
    if (!claimedIds(await shared.call(claim)).includes(row.entryId)) return;
    this.routing = true;
    router.route(entry, starts, at);
    this.routing = false;
  }

  /** If it is claimed to be rejected, the start count stays. */
  private takeOver(row: PendingRow, starts: number): commands.Command {
    const { names } = this.shared;
    return commands.takeOver(names, RECLAIM_MS, row.entryId, Math.min(starts, MOST_STARTS));
  }
}
