import { encodeContent } from "../content/content.js";
import * as commands from "../wire/commands.js";
import type { Request } from "../wire/entry.js";
import { timeOf } from "../wire/entry-id.js";
import { type RedisFault, isFault } from "../wire/faults.js";
import { entriesOf, pendingRows } from "../wire/replies.js";
import { type Answer, Held } from "./held.js";
import type { Hub } from "./hub.js";
import { MOST_STARTS } from "./starts.js";

/**
 * What the user's code makes of a request. Never throws. It may answer before it ends, once; else it ends with the answer,
 * or with undefined: then there will be none.
 */
export type Serve = (held: Held, answer: (answer: Answer) => void) => Promise<Answer | undefined>;

/** A request that waited longer is looked for before it starts (RIPC-RESP-13), in ms. */
const CHECK_AFTER_MS = 1000;
/** An answer that Redis refuses is kept for this long (RIPC-RESP-15), in ms. */
const KEEP_ANSWER_MS = 60_000;
/** Without a sign of life for this long, somebody else may have taken a request (RIPC-GROUP-11), in ms. */
export const SUSPECT_MS = 7000;

/** The answering half of an endpoint: from an entry that was read to its answer (SPEC.md section 9). */
export class Responder {
  private readonly held = new Map<string, Held>();
  private queue: Held[] = [];
  private running = 0;
  private leaving: Held[] = [];
  private whenIdle: (() => void)[] = [];

  constructor(
    private readonly hub: Hub,
    /** Undefined for an endpoint without a handler, which rejects at once (RIPC-RESP-10). */
    private readonly serve: Serve | undefined,
  ) {}

  /** Whether it is known here: then it is not started a second time (RIPC-RECOV-4). */
  holds(entryId: string): boolean {
    return this.held.has(entryId);
  }

  /** All that is to be kept alive. */
  all(): Held[] {
    return [...this.held.values()];
  }

  /** How many more can be started now. */
  get room(): number {
    if (this.hub.closing || this.serve === undefined || this.queue.length > 0) return 0;
    return Math.max(0, this.hub.options.concurrency - this.running);
  }

  /** Answers wait for memory at Redis: nothing new is to be read meanwhile (RIPC-RESP-16). */
  get answersRefused(): boolean {
    return this.all().some((held) => held.refusedSince !== undefined);
  }

  /** A request that was given to this instance. `starts` counts this one. */
  receive(request: Request, starts: number): void {
    const known = this.held.get(request.entryId);
    if (known !== undefined) {
      known.pinned = true;
      return;
    }
    const { options, siblings, closing } = this.hub;
    const now = this.hub.now();
    const held = new Held(request, starts, now, now);
    this.held.set(request.entryId, held);
    if (starts > MOST_STARTS) {
      this.giveUp(held, `the request was started ${MOST_STARTS} times, and no answer came`);
    } else if (this.serve === undefined) this.reject(held, "this group has no handler for requests");
    else if (this.tooOld(request)) this.reject(held, `the request is older than ${String(options.maxRequestAgeMs)} ms`);
    else if (closing) this.giveBack(held);
    else if (this.room > 0) this.start(held);
    else if (siblings.present) this.giveBack(held);
    else if (this.queue.length < options.queueLimit) this.queue.push(held);
    else this.reject(held, `overloaded: ${this.queue.length} requests are waiting already`);
  }

  /** Gives back all that was not started: a sibling has come, or this instance leaves (RIPC-GROUP-23, RIPC-LIFE-20). */
  giveBackQueued(): void {
    for (const held of this.queue.splice(0)) this.giveBack(held);
  }

  answered(held: Held): void {
    this.leave(held);
  }

  /** The connection broke before the reply to the answer: recovery finds out. */
  answerUnsure(held: Held): void {
    if (held.state === "answering") held.state = "unsure";
  }

  /** The answer was not written. */
  answerRefused(held: Held, fault: RedisFault): void {
    if (held.state !== "answering") return;
    const now = this.hub.now();
    if (fault.kind === "refusal") held.refusedSince ??= now;
    const tooLong = held.refusedSince !== undefined && now - held.refusedSince > KEEP_ANSWER_MS;
    if (fault.kind !== "permanent" && !tooLong) {
      this.hub.writer.answer(held);
      return;
    }
    this.hub.reporter.problem({
      kind: "given-up",
      message: `the answer to request ${held.entryId} could not be written: ${fault.message}`,
      entryId: held.entryId,
      cause: fault,
    });
    this.hub.writer.settle(held.entryId);
    this.leave(held);
  }

  /** Its requester gave up, or another member has it: nothing is answered any more (RIPC-GROUP-12, RIPC-RESP-19). */
  lost(held: Held, why: string): void {
    this.queue = this.queue.filter((other) => other !== held);
    this.leave(held);
    held.abort.abort(new Error(why));
  }

  /** Whether each is still pending for this instance; writes the answers of those that are (RIPC-RESP-14). */
  async settleUnsure(some: Held[]): Promise<void> {
    for (const held of await this.stillOurs(some)) {
      if (held.state !== "unsure") continue;
      held.state = "answering";
      this.hub.writer.answer(held);
    }
  }

  /** Those that are still pending for this instance; the others are lost. */
  async stillOurs(some: Held[]): Promise<Held[]> {
    const { names } = this.hub;
    const ask = some.map(({ entryId }) => commands.pendingOf(names, names.dispatcher, entryId, entryId, 1));
    const replies = await this.hub.batch(ask);
    const fault = replies.find(isFault);
    if (fault !== undefined) throw fault;
    return some.filter((held, i) => {
      const ours = pendingRows(replies[i] ?? null).length > 0;
      if (!ours && held.state !== "gone") this.lost(held, "another member of the group has taken the request over");
      return ours;
    });
  }

  /** The connection was lost: what was being looked for or given back is as it was before, or found again. */
  disconnected(): void {
    this.leaving = [];
    for (const held of this.all()) if (held.state === "leaving") this.leave(held);
  }

  /** Starts what can be started. */
  drain(): void {
    while (this.running < this.hub.options.concurrency) {
      const held = this.queue.shift();
      if (held === undefined) break;
      if (this.hub.now() - held.receivedAt > CHECK_AFTER_MS) void this.check(held);
      else this.start(held);
    }
    if (this.room > 0) this.hub.reclaimer.roomFound();
    if (this.running === 0) for (const resolve of this.whenIdle.splice(0)) resolve();
  }

  /** Whether no handler runs. */
  get isIdle(): boolean {
    return this.running === 0;
  }

  /**
   * Tells the handlers that still run that nobody waits for them. Their requests stay pending as they are, not given back,
   * so that the start is counted: another member starts them again.
   */
  abandonAll(): void {
    for (const held of this.all()) {
      if (held.state !== "running") continue;
      held.state = "gone";
      held.abort.abort(new Error("the endpoint was closed"));
    }
  }

  /** Resolved when no handler runs. */
  idle(): Promise<void> {
    return this.isIdle ? Promise.resolve() : new Promise((resolve) => this.whenIdle.push(resolve));
  }

  private start(held: Held): void {
    this.running++;
    void this.run(held);
  }

  private async run(held: Held): Promise<void> {
    held.state = "running";
    const finish = (answer: Answer | undefined): void => {
      if (held.state === "running") void this.hub.attempt(() => this.finish(held, answer));
    };
    finish(await this.serve?.(held, finish));
    this.running--;
    this.drain();
  }

  private async finish(held: Held, answer: Answer | undefined): Promise<void> {
    if (answer === undefined) {
      this.hub.writer.settle(held.entryId);
      this.leave(held);
      return;
    }
    held.answer = answer;
    if (held.pinned && this.hub.now() - held.keptAt >= SUSPECT_MS) {
      // This process was paused: somebody may have taken the request over, so it is looked at first.
      held.state = "unsure";
      if (this.hub.live) await this.settleUnsure([held]);
    } else {
      held.state = "answering";
      this.hub.writer.answer(held);
    }
  }

  private reject(held: Held, reason: string): void {
    held.state = "answering";
    held.answer = { status: "rejected", content: encodeContent(reason) };
    this.hub.writer.answer(held);
  }

  private giveUp(held: Held, message: string): void {
    this.hub.reporter.problem({ kind: "given-up", message: `${message}: ${held.entryId}`, entryId: held.entryId });
    this.reject(held, message);
  }

  private tooOld(request: Request): boolean {
    const { options, session } = this.hub;
    if (options.maxRequestAgeMs === null || session === undefined) return false;
    return session.redisTime - timeOf(request.entryId) > options.maxRequestAgeMs;
  }

  /** It waited: is it still on the stream? It has a handler's place meanwhile. */
  private async check(held: Held): Promise<void> {
    held.state = "checking";
    this.running++;
    let there: boolean | undefined;
    await this.hub.attempt(async () => {
      there = entriesOf(await this.hub.call(commands.body(this.hub.names, held.entryId))).length > 0;
    });
    this.running--;
    if (held.state !== "checking") this.drain();
    else if (there === true) this.start(held);
    else if (there === false) {
      this.hub.writer.acknowledge(held.entryId);
      this.lost(held, "the requester has given the request up");
      this.drain();
    } else {
      held.state = "queued";
      this.queue.unshift(held); // recovery drains
    }
  }

  /** Gives back what cannot be started now; many at a time travel together. */
  private giveBack(held: Held): void {
    held.state = "leaving";
    this.leaving.push(held);
    if (this.leaving.length === 1) setImmediate(() => void this.giveBackLeaving());
  }

  private async giveBackLeaving(): Promise<void> {
    const some = this.leaving.splice(0);
    const { names, wakeups } = this.hub;
    if (some.length === 0) return;
    const ids = some.map((held) => held.entryId);
    const [reply] = await this.hub.batch([commands.claim(names, names.dispatcher, 0, ids, { idle: commands.GIVEN_BACK_MS })]);
    const lost = isFault(reply) && (reply.kind === "lost" || reply.kind === "unsent");
    for (const held of some) {
      if (held.state !== "leaving") continue;
      // Refused: it waits here after all. Lost: recovery finds it, if it was not given back.
      if (isFault(reply) && !lost && !this.hub.closing) {
        held.state = "queued";
        this.queue.push(held);
      } else this.leave(held);
    }
    if (isFault(reply)) return;
    this.hub.reclaimer.gaveBack();
    wakeups.wakeGroup();
  }

  private leave(held: Held): void {
    held.state = "gone";
    this.held.delete(held.entryId);
  }
}
