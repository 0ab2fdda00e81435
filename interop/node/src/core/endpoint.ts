import { setTimeout as sleep } from "node:timers/promises";

import { encodeContent } from "../content/content.js";
import { EndpointClosed } from "../errors.js";
import { Reporter } from "../events.js";
import { type EndpointOptions, type SendOptions, checkTime, resolveOptions } from "../options.js";
import { Backoff } from "../redis/backoff.js";
import { Session } from "../redis/session.js";
import * as commands from "../wire/commands.js";
import { RedisFault, isFault } from "../wire/faults.js";
import { checkName, namesOf, newInstance } from "../wire/names.js";
import { pendingRows } from "../wire/replies.js";
import { HandOver } from "./hand-over.js";
import { Hub } from "./hub.js";
import { Keeper } from "./keeper.js";
import type { Outcome } from "./ledger.js";
import { OwnList } from "./own-list.js";
import { Reader } from "./reader.js";
import { Reclaimer } from "./reclaimer.js";
import { Recovery, connectFailed } from "./recovery.js";
import { Registration } from "./registration.js";
import { Requester } from "./requester.js";
import { Responder, type Serve } from "./responder.js";
import { Router } from "./router.js";
import { Siblings } from "./siblings.js";
import { Wakeups } from "./wakeups.js";
import { Writer } from "./writer.js";

/** What is left to be written may take so long on close, in ms. */
const FLUSH_MS = 1000;
/** Connecting again, and all that is to be done before anything else is, may take so long an attempt, in ms. */
const REJOIN_LIMIT_MS = 30_000;

/** One instance of one group on one stream: makes its parts, and leads them from connect to close. */
export class Endpoint {
  readonly reporter = new Reporter();
  private readonly hub: Hub;
  private readonly reader: Reader;
  private readonly keeper: Keeper;
  private readonly registration: Registration;
  private readonly recovery: Recovery;
  private readonly stopped = new AbortController();
  private regrouping: Promise<void> = Promise.resolve();
  private supervised: Promise<void> = Promise.resolve();
  private closed: Promise<void> | undefined;
  private readonly told = new Set<string>();

  /** Throws InvalidArgument for names and options that cannot be, before anything is written. */
  constructor(options: EndpointOptions, group: string, serve: Serve | undefined) {
    checkName("stream", options.stream);
    checkName("group", group);
    const hub = new Hub(namesOf(options.stream, group, newInstance()), resolveOptions(options), this.reporter);
    this.hub = hub;
    hub.writer = new Writer(hub);
    hub.requester = new Requester(hub);
    hub.responder = new Responder(hub, serve);
    hub.router = new Router(hub);
    hub.siblings = new Siblings(hub);
    hub.handOver = new HandOver(hub);
    hub.reclaimer = new Reclaimer(hub);
    hub.ownList = new OwnList(hub);
    this.keeper = new Keeper(hub);
    this.registration = new Registration(hub);
    this.reader = new Reader(hub, () => this.regrouping);
    this.recovery = new Recovery(hub, this.reader, this.keeper, this.registration);
    hub.wakeups = new Wakeups(hub, () => void hub.attempt(() => this.registration.announce()));
  }

  get instance(): string {
    return this.hub.names.instance;
  }

  get group(): string {
    return this.hub.names.group;
  }

  get connected(): boolean {
    return this.hub.live;
  }

  /** Throws ConnectFailed when Redis refuses, or is not reached within the limit (RIPC-LIFE-4). */
  async connect(): Promise<void> {
    const { options } = this.hub;
    const limit = this.hub.now() + options.connectTimeoutMs;
    const backoff = new Backoff();
    for (;;) {
      try {
        const session = await this.open(() => this.join(), limit - this.hub.now());
        await this.hub.wakeups.start();
        if (this.hub.wakeups.listening) await this.hub.attempt(() => this.registration.announce());
        // Reading begins last: no handler runs before the caller has the endpoint.
        this.goLive(session);
        this.supervised = this.supervise(session);
        return;
      } catch (error) {
        const pause = backoff.next();
        const hopeless = !isFault(error) || error.kind === "permanent" || this.hub.now() + pause >= limit;
        if (hopeless) throw connectFailed(error, options.url);
        await sleep(pause);
      }
    }
  }

  /** Ends with the outcome. Throws for what is refused before anything is written. */
  async send(group: string, value: unknown, options: SendOptions = {}): Promise<Outcome> {
    checkName("group", group);
    const timeoutMs = options.timeoutMs ?? this.hub.options.timeoutMs;
    checkTime("timeoutMs", timeoutMs);
    const content = encodeContent(value);
    // A handler that close() waits for may need others to come to its end.
    const { closing, closed, responder } = this.hub;
    if (closed || (closing && responder.isIdle)) throw new EndpointClosed();
    return this.hub.requester.send(group, content, timeoutMs, options.signal);
  }

  /** Lets handlers and own requests end, gives back what was not started, and leaves (section 6). May be called twice. */
  close(): Promise<void> {
    this.closed ??= this.leave();
    return this.closed;
  }

  // Connecting, and connecting again

  private async join(): Promise<void> {
    while (!(await this.recovery.join())) this.hub.names = namesOf(this.hub.names.stream, this.group, newInstance());
  }

  /** A session, and what is to be done on it before anything else is. */
  private async open(prepare: () => Promise<void>, limitMs: number): Promise<Session> {
    const connectTimeoutMs = Math.max(1, Math.min(this.hub.options.connectTimeoutMs, limitMs));
    const session = await Session.open(
      { ...this.hub.options, connectTimeoutMs, signal: this.stopped.signal },
      {
        groupLost: () => {
          if (this.hub.live) this.regroup(session);
        },
        refused: (fault) => {
          this.tellRefused(fault);
        },
      },
    );
    const timer = setTimeout(() => {
      session.break(new RedisFault("lost", `Redis did not answer within ${Math.round(limitMs)} ms`));
    }, Math.min(limitMs, 2 ** 31 - 1));
    this.hub.session = session;
    try {
      await prepare();
      if (session.isOver) throw await session.lost;
      return session;
    } catch (error) {
      session.close();
      this.hub.session = undefined;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  private goLive(session: Session): void {
    this.told.clear();
    this.hub.live = true;
    this.registration.start();
    this.keeper.start();
    this.hub.reclaimer.start();
    this.hub.ownList.start();
    this.reader.start(session);
    this.hub.writer.kick();
    this.hub.responder.drain();
    this.hub.requester.recovered();
  }

  private goDown(): void {
    this.hub.live = false;
    this.hub.session = undefined;
    void this.stopTasks();
    this.hub.handOver.clear();
  }

  /** Resolved when those under way are over. */
  private async stopTasks(): Promise<void> {
    const { reclaimer, ownList } = this.hub;
    await Promise.all([this.registration.stop(), this.keeper.stop(), reclaimer.stop(), ownList.stop()]);
  }

  /** As long as the endpoint is open: waits until the connection is lost, and brings it back (RIPC-RECOV-1). */
  private async supervise(first: Session): Promise<void> {
    let session = first;
    const { signal } = this.stopped;
    for (;;) {
      const reason = await session.lost;
      this.goDown();
      if (signal.aborted) return;
      // Replies that came with the loss are dealt with before the state is taken as it is.
      await sleep(0);
      this.hub.responder.disconnected();
      this.reporter.tell("disconnected", reason);
      const again = await this.reopen();
      if (again === undefined) return;
      session = again;
      this.goLive(session);
      this.reporter.tell("reconnected");
    }
  }

  private async reopen(): Promise<Session | undefined> {
    const { signal } = this.stopped;
    const backoff = new Backoff();
    for (;;) {
      await sleep(backoff.next(), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return undefined;
      try {
        this.hub.reclaimer.reconnected();
        const session = await this.open(() => this.recovery.rejoin(), REJOIN_LIMIT_MS);
        if (!signal.aborted) return session;
        session.close();
      } catch (error) {
        if (!isFault(error)) throw error;
        if (error.kind === "permanent") this.tellRefused(error);
      }
    }
  }

  /** The group is gone: makes it again, on the same connection (RIPC-RECOV-8 to 10). */
  private regroup(session: Session): void {
    if (this.hub.regrouping) return;
    this.hub.regrouping = true;
    this.regrouping = this.recovery
      .rejoin()
      .catch((error: unknown) => {
        session.break(isFault(error) ? error : new RedisFault("unknown", String(error)));
      })
      .finally(() => {
        this.hub.regrouping = false;
        this.hub.writer.kick();
      });
  }

  /** Once for each refusal, until the connection was lost and is back. */
  private tellRefused(fault: RedisFault): void {
    if (this.told.has(fault.message)) return;
    this.told.add(fault.message);
    this.reporter.problem({ kind: "refused", message: `Redis refuses a command: ${fault.message}`, cause: fault });
  }

  // Leaving

  private async leave(): Promise<void> {
    const { hub } = this;
    hub.closing = true;
    hub.responder.giveBackQueued();
    const limit = sleep(hub.options.closeTimeoutMs, undefined, { ref: false });
    await Promise.race([Promise.all([hub.responder.idle(), hub.requester.idle()]), limit]);
    hub.closed = true;
    hub.requester.cancelAll();
    hub.responder.abandonAll();
    if (hub.live) await hub.attempt(() => this.signOff());
    hub.wakeups.stop();
    this.stopped.abort();
    hub.session?.close();
    await this.supervised;
    this.goDown();
  }

  private async signOff(): Promise<void> {
    const { hub } = this;
    await this.reader.stop();
    await this.stopTasks(); // none may claim anything any more
    await this.recovery.readDispatcherList();
    await hub.ownList.read();
    await Promise.race([hub.writer.done(), sleep(FLUSH_MS, undefined, { ref: false })]);
    await this.registration.remove();
    await this.deleteConsumers();
  }

  /** Only those with nothing pending (RIPC-LIFE-21, 22). */
  private async deleteConsumers(): Promise<void> {
    const { names } = this.hub;
    for (const name of [names.consumer, names.dispatcher]) {
      const pending = pendingRows(await this.hub.call(commands.pendingOf(names, name, "-", "+", 1)));
      if (pending.length === 0) await this.hub.call(commands.deleteConsumer(names, name));
    }
  }
}
