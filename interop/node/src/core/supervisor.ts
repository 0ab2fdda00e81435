import { setTimeout as sleep } from "node:timers/promises";

import { ConnectPause } from "../redis/connect-pause.js";
import { Session } from "../redis/session.js";
import { waitAtMost } from "../redis/wait.js";
import { RedisFault, isFault, isForAWhile } from "../wire/faults.js";
import { namesOf, newInstance } from "../wire/names.js";
import type { SharedWith } from "./ports.js";
import type { KeepAlive } from "./keep-alive.js";
import type { Reader } from "./reader.js";
import { type Recovery, connectFailed } from "./recovery.js";

/** A connection that is lost again within this time, in ms, was not back at all (RIPC-RECOV-14). */
export const SAME_LOSS_MS = 1000;
/** The least time between two further reads of the dispatcher's list, in ms. */
const READ_AGAIN_MS = 1000;
/** So many texts of refusals are remembered, to report each once. */
const MOST_TOLD = 1000;

/** Connects, and brings the connection or the group back for as long as the endpoint is open (RIPC-RECOV-1, 8 to 10). */
export class Supervisor {
  private readonly stopped = new AbortController();
  private readonly told = new Set<string>();
  private readonly connectPause = new ConnectPause();
  private readonly groupPause = new ConnectPause();
  private regroupedAt = -Infinity;
  private regrouping: Promise<void> = Promise.resolve();
  private reopening: Promise<void> = Promise.resolve();
  private supervised: Promise<void> = Promise.resolve();
  private readAgain: NodeJS.Timeout | undefined;
  private tasksRun = false;

  constructor(
    private readonly shared: SharedWith<"writer" | "requester" | "responder" | "handOver" | "reclaimer" | "ownList" | "wakeups" | "registration">,
    private readonly reader: Reader,
    private readonly keepAlive: KeepAlive,
    private readonly recovery: Recovery,
  ) {
    shared.breakers.planned = () => {
      this.planReadAgain();
    };
  }

  /** Throws ConnectFailed when Redis refuses, or is not reached within the limit (RIPC-LIFE-4). */
  async connect(): Promise<void> {
    const { shared } = this;
    const { signal } = this.stopped;
    shared.lifecycle.advance("connect");
    const limit = shared.now() + shared.options.connectTimeoutMs;
    const connectPause = new ConnectPause();
    for (;;) {
      try {
        const joined = this.joinBy(limit);
        this.reopening = joined.then(done, done);
        await joined;
        return;
      } catch (error) {
        shared.lifecycle.advance("failed", error instanceof Error ? error.message : String(error));
        const pause = connectPause.next();
        const hopeless = shared.closing || !isFault(error) || error.kind === "permanent" || shared.now() + pause >= limit;
        if (hopeless || signal.aborted) throw connectFailed(error, shared.options.url);
        await sleep(pause, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  private async joinBy(limit: number): Promise<void> {
    const { shared } = this;
    const session = await this.open(() => this.join(), limit - shared.now());
    await Promise.race([shared.wakeups.start(), sleep(waitAtMost(limit - shared.now()), undefined, { ref: false })]);
    if (shared.wakeups.listening) await shared.attempt(() => shared.registration.announce());
    // Reading begins last: no handler runs before the caller has the endpoint.
    if (this.stopped.signal.aborted) throw new RedisFault("lost", "the endpoint was closed");
    const reads = this.goLive(session, false);
    this.supervised = this.supervise(session);
    await reads;
    if (shared.closing) throw new RedisFault("lost", "the endpoint was closed");
  }

  /** Resolved when no group is being made again. */
  regrouped(): Promise<void> {
    return this.regrouping;
  }

  /** Whether commands that join or recover are under way: Redis executes them, whoever reads the replies. */
  get isMidway(): boolean {
    const { live, reachable, regrouping, pauses } = this.shared;
    return (live ? regrouping : reachable) && !pauses.writes.active && !pauses.memory.active;
  }

  /** Resolved when what is under way has ended, well or not. */
  async recovered(): Promise<void> {
    await Promise.all([this.regrouping, this.reopening]);
    // Whoever waited for the session has it live by then.
    await sleep(0);
  }

  /** Ends the connections, and every attempt to make one. */
  async stop(): Promise<void> {
    this.stopped.abort();
    this.shared.session?.close();
    await this.supervised;
    this.goDown();
  }

  /** Resolved when the tasks under way are over: none claims anything any more. */
  async stopTasks(): Promise<void> {
    this.tasksRun = false;
    clearTimeout(this.readAgain);
    const { registration, reclaimer, ownList } = this.shared;
    await Promise.all([registration.stop(), this.keepAlive.stop(), reclaimer.stop(), ownList.stop()]);
  }

  private async join(): Promise<void> {
    const { shared } = this;
    while (!(await this.recovery.join())) shared.names = namesOf(shared.names.stream, shared.names.group, newInstance());
  }

  /** A session, and what is to be done on it before anything else is. */
  private async open(prepare: (session: Session) => Promise<void>, limitMs: number): Promise<Session> {
    const { shared } = this;
    const connectTimeoutMs = Math.max(1, Math.min(shared.options.connectTimeoutMs, limitMs));
    const session = await Session.open(
      { ...shared.options, connectTimeoutMs, signal: this.stopped.signal },
      {
        groupLost: () => {
          if (shared.live) this.regroup(session);
        },
        refused: (fault) => {
          this.refused(fault);
        },
      },
    );
    const timer = setTimeout(() => {
      session.break(new RedisFault("lost", `Redis did not answer within ${Math.round(limitMs)} ms`));
    }, waitAtMost(limitMs));
    shared.session = session;
    try {
      await prepare(session);
      if (session.isOver) throw await session.lost;
      return session;
    } catch (error) {
      session.close();
      shared.session = undefined;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Resolved when the first read is sent. */
  private goLive(session: Session, again: boolean): Promise<void> {
    const { shared } = this;
    shared.live = true;
    this.tasksRun = true;
    shared.lifecycle.advance(again ? "recovered" : "joined");
    shared.liveSince = shared.now();
    shared.registration.start();
    this.keepAlive.start();
    shared.reclaimer.start(again);
    shared.ownList.start();
    const reads = this.reader.start(session);
    this.planReadAgain();
    shared.wakeups.connected(again);
    shared.writer.kick();
    shared.responder.drain();
    shared.requester.recovered();
    return reads;
  }

  private goDown(): void {
    const { shared } = this;
    shared.live = false;
    shared.session = undefined;
    void this.stopTasks();
    shared.handOver.clear();
  }

  /**
   * The dead connection may have been given something after its own list was read: it is read again (RIPC-RECOV-21). So it is for
   * bodies that broke the connection (RIPC-RECOV-28).
   */
  private planReadAgain(leastMs = 0): void {
    const { shared, reader } = this;
    clearTimeout(this.readAgain);
    const at = Math.min(reader.looks.first ?? Infinity, shared.breakers.due);
    if (at === Infinity || !shared.live || !this.tasksRun) return;
    this.readAgain = setTimeout(() => {
      const begun = shared.now();
      const reading = shared.attempt(async () => {
        await this.recovery.readDispatcherList();
        reader.looks.done(begun);
      });
      void reading.then(() => {
        this.planReadAgain(READ_AGAIN_MS);
      });
    }, waitAtMost(Math.max(leastMs, at - shared.now())));
    this.readAgain.unref();
  }

  /** As long as the endpoint is open: waits until the connection is lost, and brings it back. */
  private async supervise(first: Session): Promise<void> {
    const { shared } = this;
    const { signal } = this.stopped;
    for (let session = first, told = false; ; ) {
      const reason = await session.lost;
      const sameLoss = told && shared.now() - shared.liveSince < SAME_LOSS_MS;
      this.goDown();
      if (signal.aborted) return;
      if (!shared.closing) shared.lifecycle.advance("lost", reason.message);
      // Replies that came with the loss are dealt with before the state is taken as it is.
      await sleep(0);
      shared.responder.disconnected();
      if (!sameLoss) {
        this.connectPause.reset();
        shared.reporter.tell("disconnected", reason);
      }
      told = true;
      const again = await this.reopen();
      if (again === undefined) return;
      session = again;
      shared.counts.reconnects++;
      void this.goLive(session, true);
      if (!sameLoss) shared.reporter.tell("reconnected");
    }
  }

  private async reopen(): Promise<Session | undefined> {
    const { signal } = this.stopped;
    for (;;) {
      await sleep(this.connectPause.next(), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return undefined;
      try {
        const opening = this.open((opened) => this.rejoin(opened), Infinity);
        this.reopening = opening.then(done, done);
        const session = await opening;
        if (!signal.aborted) return session;
        session.close();
      } catch (error) {
        if (!isFault(error)) throw error;
        this.shared.lifecycle.advance("failed", error.message);
        if (error.kind === "permanent") this.refused(error);
      }
    }
  }

  /** Where Redis refuses writes for a while, the connection is good: again on it, and meanwhile a last look works. */
  private async rejoin(session: Session): Promise<void> {
    const { shared } = this;
    for (;;) {
      try {
        await this.recovery.rejoin();
        return;
      } catch (error) {
        if (!isFault(error) || !isForAWhile(error.kind) || session.isOver) throw error;
        shared.lifecycle.advance("failed", error.message);
        const { memory, writes } = shared.pauses;
        const pause = Math.max(memory.until, writes.until) - shared.now();
        await Promise.race([sleep(waitAtMost(Math.max(50, pause))), session.lost]);
      }
    }
  }

  /** The group is gone: makes it again, on the same connection. */
  private regroup(session: Session): void {
    const { shared } = this;
    if (shared.regrouping) return;
    shared.regrouping = true;
    shared.lifecycle.advance("group lost", "the group is gone, and made again");
    const lately = shared.now() - this.regroupedAt < SAME_LOSS_MS;
    if (!lately) this.groupPause.reset();
    this.regrouping = (lately ? sleep(this.groupPause.next()) : Promise.resolve())
      .then(() => this.rejoin(session))
      .catch((error: unknown) => {
        session.break(isFault(error) ? error : new RedisFault("unknown", String(error)));
      })
      .finally(() => {
        shared.regrouping = false;
        if (shared.live && !session.isOver) shared.lifecycle.advance("recovered");
        this.regroupedAt = shared.now();
        shared.writer.kick();
      });
  }

  /** Tells each refusal once: one for good in all, one for a while until Redis takes a write again (RIPC-RECOV-15, 27). */
  private refused(fault: RedisFault): void {
    const { shared } = this;
    let told: boolean;
    if (isForAWhile(fault.kind)) {
      const pause = fault.kind === "no-writes" ? shared.pauses.writes : shared.pauses.memory;
      told = pause.active;
      pause.refused(shared.now());
      if (fault.kind === "no-writes") shared.reclaimer.hold();
    } else {
      told = this.told.has(fault.message);
      if (this.told.size >= MOST_TOLD) this.told.clear();
      this.told.add(fault.message);
    }
    if (told) return;
    const what = isForAWhile(fault.kind) ? "Redis takes no writes for now, and is asked again" : "Redis refuses a command";
    shared.reporter.problem({ kind: "refused", message: `${what}: ${fault.message}`, cause: fault });
  }
}

function done(): void {
  return undefined;
}
