import { setTimeout as sleep } from "node:timers/promises";

import { encodeContent } from "../content/content.js";
import { EndpointClosed } from "../errors.js";
import { Reporter } from "../events.js";
import type { Health, Lifecycle } from "../lifecycle.js";
import { checkTime } from "../given.js";
import { type EndpointOptions, type SendOptions, resolveOptions } from "../options.js";
import type { Outcome } from "../outcome.js";
import { waitAtMost } from "../redis/wait.js";
import { breaksConnection, isFault } from "../wire/faults.js";
import { checkGroup, checkName, namesOf, newInstance } from "../wire/names.js";
import { assemble } from "./assembly.js";
import { KeepAlive } from "./keep-alive.js";
import { leave } from "./leaving.js";
import { Reader } from "./reader.js";
import { Recovery } from "./recovery.js";
import { type Peer, peersOf } from "./peers.js";
import type { Ports } from "./ports.js";
import type { Refuse, Serve } from "./responder.js";
import { Shared } from "./shared.js";
import { Supervisor } from "./supervisor.js";
import { type Stats, healthOf, statsOf } from "./vitals.js";

/** What is left to be written may take so long on close, in ms. */
const FLUSH_MS = 1000;
/** Leaving a Redis that is slow may take so long, in ms, after the time for handlers, and no longer than `OVERDUE_MS` after `closeTimeoutMs`. */
const LEAVE_LIMIT_MS = 2000;
/** In ms after `closeTimeoutMs`: whatever Redis does, closing has ended by then. */
const OVERDUE_MS = 1000;

/** One instance of one group on one stream: makes its parts, and leads them from connect to close. */
export class Endpoint {
  readonly reporter = new Reporter();
  private readonly shared: Shared & Ports;
  private readonly reader: Reader;
  private readonly recovery: Recovery;
  private readonly supervisor: Supervisor;
  private closed: Promise<void> | undefined;

  /** Throws InvalidArgument for names and options that cannot be, before anything is written. */
  constructor(options: EndpointOptions, group: string, serve: Serve | undefined, refuse?: Refuse) {
    checkName("stream", options.stream);
    checkGroup(group);
    const common = new Shared(namesOf(options.stream, group, newInstance()), resolveOptions(options), this.reporter);
    const shared = assemble(common, serve, refuse);
    this.shared = shared;
    this.reader = new Reader(
      shared,
      () => this.supervisor.regrouped(),
      () => this.recovery.readDispatcherList(),
    );
    this.recovery = new Recovery(shared, this.reader);
    this.supervisor = new Supervisor(shared, this.reader, new KeepAlive(shared), this.recovery);
  }

  get instance(): string {
    return this.shared.names.instance;
  }

  get group(): string {
    return this.shared.names.group;
  }

  /** Where it is in its life. */
  get lifecycle(): Lifecycle {
    return this.shared.lifecycle;
  }

  get connected(): boolean {
    return this.shared.live;
  }

  /** Throws ConnectFailed when Redis refuses, or is not reached within the limit (RIPC-LIFE-4). */
  connect(): Promise<void> {
    return this.supervisor.connect();
  }

  /** Ends with the outcome. Throws for what is refused before anything is written. */
  async send(group: string, value: unknown, options: SendOptions = {}, id?: string): Promise<Outcome> {
    checkName("group", group);
    const timeoutMs = options.timeoutMs ?? this.shared.options.timeoutMs;
    checkTime("timeoutMs", timeoutMs);
    const content = encodeContent(value);
    // A handler that close() waits for may need others to come to its end.
    const { closing, closed, responder } = this.shared;
    if (closed || (closing && responder.isIdle)) throw new EndpointClosed();
    return this.shared.requester.send(group, content, timeoutMs, options.signal, id);
  }

  /** The living instances of a group; undefined where Redis cannot be asked, or does not answer within the limit. Throws a RedisFault. */
  async peers(group: string, timeoutMs: number): Promise<Peer[] | undefined> {
    checkName("group", group);
    checkTime("timeoutMs", timeoutMs);
    if (this.shared.closing) throw new EndpointClosed();
    const limit = sleep(waitAtMost(timeoutMs), undefined, { ref: false });
    try {
      return await Promise.race([peersOf(this.shared, group), limit]);
    } catch (error) {
      if (isFault(error) && breaksConnection(error.kind)) return undefined;
      throw error;
    }
  }

  stats(): Stats {
    return statsOf(this.shared);
  }

  health(): Health {
    return healthOf(this.shared);
  }

  /** Lets handlers and own requests end, gives back what was not started, and leaves (section 6). May be called twice. */
  close(): Promise<void> {
    this.closed ??= this.leave();
    return this.closed;
  }

  private async leave(): Promise<void> {
    const { shared } = this;
    const begun = shared.now();
    shared.closing = true;
    const midway = this.supervisor.isMidway;
    shared.lifecycle.advance(midway ? "disconnect midway" : "disconnect");
    shared.responder.giveBackQueued();
    // What Redis executes to join or recover makes keys: it ends first, and then they are deleted (RIPC-LIFE-19).
    if (midway) await Promise.race([this.supervisor.recovered(), sleep(FLUSH_MS, undefined, { ref: false })]);
    const waited = shared.now() - begun;
    let limit = false;
    if (shared.live) {
      const over = sleep(waitAtMost(Math.max(0, shared.options.closeTimeoutMs - waited)), true, { ref: false });
      limit = await Promise.race([Promise.all([shared.responder.idle(), shared.requester.idle()]).then(() => false), over]);
    } // Without a connection nothing comes that could be waited for (RIPC-LIFE-15).
    shared.closed = true;
    shared.requester.cancelAll();
    shared.responder.rejectRunning();
    const left = Math.min(LEAVE_LIMIT_MS - waited, shared.options.closeTimeoutMs + OVERDUE_MS - (shared.now() - begun));
    if (shared.live) await Promise.race([shared.attempt(() => this.signOff()), sleep(Math.max(0, left), undefined, { ref: false })]);
    const last = shared.live ? (limit ? "limit" : "left") : "lost";
    shared.wakeups.stop();
    await this.supervisor.stop();
    shared.lifecycle.advance(last);
  }

  private async signOff(): Promise<void> {
    const { shared } = this;
    // A read that was lost may still be served, as one that did not end may.
    const readEnded = (await this.reader.stop()) && this.reader.looks.first === undefined;
    await this.supervisor.stopTasks();
    await this.recovery.readDispatcherList();
    await shared.ownList.read();
    await this.flushed();
    if (shared.responder.answers.refused) {
      // What Redis has no memory for is not waited for any longer.
      shared.responder.answers.dropRefused();
      await this.flushed();
    }
    await leave(shared, readEnded);
  }

  private async flushed(): Promise<void> {
    await Promise.race([this.shared.writer.done(), sleep(FLUSH_MS, undefined, { ref: false })]);
  }
}
