import { debuglog } from "node:util";

import type { Json } from "../json.js";
import { type ReasonCode, readReason } from "../reasons.js";
import type { Request } from "../wire/entry.js";
import { timeOf } from "../wire/entry-id.js";
import { Answers } from "./answers.js";
import { GivingBack } from "./giving-back.js";
import { type Answer, Held } from "./held.js";
import { isLate } from "./late-claim.js";
import { keepOurs } from "./ownership.js";
import { MOST_STARTS } from "./starts.js";
import { TimeLeft } from "./time-left.js";
import type { ResponderPort, SharedWith } from "./ports.js";

/**
 * What the user's code makes of a request. Never throws. It may answer before it ends, once; else it ends with the answer,
 * or with undefined: then there will be none.
 */
export type Serve = (held: Held, answer: (answer: Answer) => void) => Promise<Answer | undefined>;

/** The reason with which a group without any handler rejects a request. Never throws. */
export type Refuse = (request: Request) => Json;

/** A request that waited longer is looked at before it starts (RIPC-RESP-13), in ms. */
export const CHECK_AFTER_MS = 1000;
/** What was claimed for the last time so long ago is claimed before it starts (RIPC-GROUP-31), in ms. */
export const KEEP_MS = 3000;
/** The least time between two searches for siblings before requests are rejected, in ms (RIPC-RESP-17). */
const LOOK_AGAIN_MS = 1000;

/** A line for each request, where NODE_DEBUG names redisipc. */
const debug = debuglog("redisipc");

/** The answering half of an endpoint: from an entry that was read to its answer (SPEC.md section 9). */
export class Responder implements ResponderPort {
  readonly answers: Answers;
  private readonly givingBack: GivingBack;
  private readonly timeLeft: TimeLeft;
  private readonly held = new Map<string, Held>();
  private queue: Held[] = [];
  /** New, while requests that were given back are searched (RIPC-GROUP-34). */
  private behind: Held[] = [];
  /** Beyond the bound of the queue, until it is known whether siblings are there. */
  private beyond: Held[] = [];
  private lookedAt = -Infinity;
  /** Handlers that have not ended, and since when. A handler may outlive its request. */
  private readonly started = new Map<Held, number>();
  private checks = 0;
  private whenIdle: (() => void)[] = [];

  constructor(
    private readonly shared: SharedWith<"writer" | "responder" | "siblings" | "reclaimer" | "wakeups">,
    /** Undefined for an endpoint without a handler (RIPC-RESP-10, RIPC-GROUP-35). */
    private readonly serve: Serve | undefined,
    private readonly refusal?: Refuse,
  ) {
    this.answers = new Answers(shared);
    this.givingBack = new GivingBack(shared);
    this.timeLeft = new TimeLeft(shared);
  }

  /** Whether it runs requests: siblings learn it (RIPC-VERS-7). */
  get serves(): boolean {
    return this.serve !== undefined;
  }

  /** Whether it is known here, or on its way back to the group. */
  holds(entryId: string): boolean {
    return this.held.has(entryId) || this.givingBack.has(entryId);
  }

  /** Handlers that run, or are about to. */
  get running(): number {
    return this.started.size + this.checks;
  }

  /** Since when each handler runs that has not ended. */
  get since(): number[] {
    return [...this.started.values()];
  }

  /** Requests that no handler has started yet. */
  get waiting(): number {
    return this.queue.length + this.behind.length + this.beyond.length;
  }

  /** All that is in progress. */
  all(): Held[] {
    return [...this.held.values()];
  }

  /** How many more can be started now. */
  get room(): number {
    if (this.shared.closing || this.serve === undefined || this.queue.length > 0) return 0;
    return Math.max(0, this.shared.options.concurrency - this.running);
  }

  /** How many requests of others may be taken over now: what can start, and alone in the group what may wait. */
  get capacity(): number {
    const { siblings, options, closing } = this.shared;
    if (closing || this.serve === undefined) return 0;
    return this.room + (siblings.responders > 0 ? 0 : Math.max(0, options.queueLimit - this.queue.length));
  }

  /**
   * A request that was given to this instance. `starts` counts this one; `keptAt`: its last delivery or claim, at the
   * earliest, by its own clock in ms.
   */
  receive(request: Request, starts: number, keptAt: number): void {
    const known = this.held.get(request.entryId);
    if (known !== undefined) {
      if (known.request.id.equals(request.id)) return; // RIPC-RECOV-4
      this.lost(known, "Redis lost the request, and gave its entry ID to another one");
    }
    const { options, siblings, closing } = this.shared;
    const held = new Held(request, starts, keptAt);
    this.held.set(request.entryId, held);
    this.shared.pace.wake();
    held.storedAt = this.shared.now() - this.ageOf(request);
    held.timeLeftMs = (statedMs) => this.timeLeft.of(held, statedMs);
    if (starts > MOST_STARTS) this.giveUp(held);
    else if (this.tooOld(request)) {
      this.answers.refuse(held, "too_old", `the request is older than ${String(options.maxRequestAgeMs)} ms`);
    } else if (closing) this.giveBack(held);
    else if (this.serve === undefined) {
      if (siblings.responders > 0) this.giveBack(held);
      else this.unserved(held);
    } else if (this.shared.reclaimer.takesBack) this.behind.push(held);
    else this.place(held);
  }

  /** The search for requests that were given back is over: those that came meanwhile have their turn. */
  startBehind(): void {
    for (const held of this.behind.splice(0)) {
      if (held.state !== "queued") continue;
      if (this.shared.closing) this.giveBack(held);
      else this.place(held);
    }
  }

  private place(held: Held): void {
    const { options, siblings, live } = this.shared;
    if (this.room > 0 && live) this.startOrCheck(held);
    else if (siblings.responders > 0) this.giveBack(held);
    else if (this.queue.length < options.queueLimit) this.queue.push(held);
    else this.overflow(held);
  }

  /** What waits is given back: a sibling has come, or this instance leaves (RIPC-GROUP-23, RIPC-LIFE-20). */
  giveBackQueued(): void {
    for (const held of this.queue.splice(0)) this.giveBack(held);
    if (this.shared.closing) this.startBehind();
  }

  /** Others may run what cannot start here. */
  siblingsCame(): void {
    if (this.shared.closing || (this.queue.length > 0 && this.running >= this.shared.options.concurrency) || !this.serves) this.giveBackQueued();
  }

  /** It could not be given back: it waits here. */
  keepAfterAll(held: Held): void {
    if (this.held.has(held.entryId)) return;
    held.state = "queued";
    this.held.set(held.entryId, held);
    this.queue.push(held);
    this.drain();
  }

  /** It is answered, settled, or not ours any more. */
  leave(held: Held): void {
    held.state = "gone";
    if (this.held.get(held.entryId) === held) this.held.delete(held.entryId);
  }

  /** Its requester gave up, or another member has it: nothing is answered any more (RIPC-GROUP-12, RIPC-RESP-19). */
  lost(held: Held, why: string): void {
    if (this.held.get(held.entryId) !== held) return;
    this.queue = this.queue.filter((other) => other !== held);
    this.leave(held);
    this.shared.reporter.observing?.lost(held, why);
    held.tellAborted(why);
  }

  /** The connection was lost: what was to be given back is found again, where it is still ours. */
  disconnected(): void {
    this.givingBack.clear();
  }

  /** Starts what can be started. */
  drain(): void {
    while (this.shared.live && this.running < this.shared.options.concurrency) {
      const held = this.queue.shift();
      if (held === undefined) break;
      this.startOrCheck(held);
    }
    if (this.capacity > 0) this.shared.reclaimer.roomFound();
    if (this.running === 0) for (const resolve of this.whenIdle.splice(0)) resolve();
  }

  /** Whether no handler runs. */
  get isIdle(): boolean {
    return this.running === 0;
  }

  /** The time to close is over: what a handler still runs is rejected, and its answer refused (RIPC-LIFE-26). */
  rejectRunning(): void {
    for (const held of this.all()) {
      if (held.state !== "running") continue;
      held.closed = true;
      this.answers.refuse(held, "closing", "the instance disconnected before its handler ended");
      held.tellAborted("the endpoint was closed");
    }
  }

  /** Resolved when no handler runs. */
  idle(): Promise<void> {
    return this.isIdle ? Promise.resolve() : new Promise((resolve) => this.whenIdle.push(resolve));
  }

  private startOrCheck(held: Held): void {
    if (this.shared.now() - held.waitsSince > CHECK_AFTER_MS) void this.check(held);
    else this.start(held);
  }

  private start(held: Held): void {
    this.started.set(held, this.shared.now());
    void this.run(held);
  }

  private async run(held: Held): Promise<void> {
    held.state = "running";
    const { observing } = this.shared.reporter;
    observing?.started(held);
    let given: Answer | undefined;
    const finish = (answer: Answer | undefined): void => {
      given ??= answer;
      if (held.state === "running") this.finish(held, answer);
    };
    finish(await this.serve?.(held, finish));
    observing?.done(held, given);
    this.started.delete(held);
    this.drain();
  }

  private finish(held: Held, answer: Answer | undefined): void {
    debug("request %s of %s: %s after %d ms", held.request.id, held.request.source, answer?.status ?? "no answer", Math.round(this.shared.now() - held.cameAt));
    if (answer?.failed === true) this.shared.counts.failed++;
    if (answer === undefined) {
      this.shared.writer.settle(held.entryId);
      this.leave(held);
    } else if (!held.stranded && isLate(this.shared, held)) {
      // It was not kept alive for long, so it may be another member's by now: it is looked at first.
      held.answer = answer;
      held.answeredAt = this.shared.now();
      held.state = "unsure";
      if (this.shared.live) void this.shared.attempt(() => this.settleUnsure());
    } else this.answers.add(held, answer);
  }

  /** Looks at the requests whose answers may have been written, and writes those that were not (RIPC-RESP-14). */
  async settleUnsure(): Promise<void> {
    const unsure = this.all().filter((held) => held.state === "unsure" && !held.stranded);
    if (unsure.length === 0) return;
    for (const held of await keepOurs(this.shared, unsure, true)) this.answers.notWritten(held);
  }

  /** It waited, or lay in the socket: is it still there, and ours? It has a handler's place meanwhile (RIPC-RESP-13). */
  private async check(held: Held): Promise<void> {
    held.state = "checking";
    this.checks++;
    let ours = false;
    await this.shared.attempt(async () => {
      ours = (await keepOurs(this.shared, [held], false)).length > 0;
    });
    this.checks--;
    if (held.state === "checking") {
      if (ours) held.waitsSince = held.keptAt;
      if (this.shared.closing) this.giveBack(held);
      else if (ours && this.shared.live && this.shared.now() - held.keptAt < KEEP_MS) {
        this.start(held);
        return;
      } else {
        held.state = "queued";
        this.queue.unshift(held); // recovery drains
      }
    }
    this.drain();
  }

  private giveBack(held: Held): void {
    this.leave(held);
    this.givingBack.add(held);
  }

  private giveUp(held: Held): void {
    this.answers.refuse(held, "given_up", `the request was started ${MOST_STARTS} times, and no answer came`);
  }

  /** More waits than may: a sibling that nobody noticed yet could take it (RIPC-RESP-17). */
  private overflow(held: Held): void {
    if (this.shared.now() - this.lookedAt < LOOK_AGAIN_MS && this.beyond.length === 0) {
      this.overload(held);
      return;
    }
    this.beyond.push(held);
    if (this.beyond.length === 1) void this.lookForSiblings();
  }

  private async lookForSiblings(): Promise<void> {
    await this.shared.attempt(() => this.shared.siblings.refresh());
    this.lookedAt = this.shared.now();
    for (const held of this.beyond.splice(0)) {
      if (held.state !== "queued") continue;
      if (this.shared.siblings.responders > 0 || this.shared.closing) this.giveBack(held);
      else this.overload(held);
    }
  }

  private overload(held: Held): void {
    this.answers.refuse(held, "overloaded", `${this.queue.length} requests wait in this instance`);
  }

  /** No instance of the group has a handler (RIPC-RESP-10). */
  private unserved(held: Held): void {
    if (this.refusal === undefined) this.answers.refuse(held, "no_handler", "no instance of this group has a handler for requests");
    else {
      const reason = this.refusal(held.request);
      const { code } = readReason(reason);
      this.answers.refuseWith(held, (code as ReasonCode | undefined) ?? "no_handler", reason);
    }
  }

  private tooOld(request: Request): boolean {
    const { maxRequestAgeMs } = this.shared.options;
    return maxRequestAgeMs !== null && this.ageOf(request) > maxRequestAgeMs;
  }

  /** In ms, by Redis' clock; 0 where it is away. */
  private ageOf({ entryId }: Request): number {
    const { session } = this.shared;
    return session === undefined ? 0 : session.redisTime - timeOf(entryId);
  }
}
