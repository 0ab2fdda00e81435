import { setTimeout as sleep } from "node:timers/promises";

import { encodeContent } from "../content/content.js";
import { EndpointClosed } from "../errors.js";
import { Reporter } from "../events.js";
import type { Health, Lifecycle } from "../lifecycle.js";
import { type EndpointOptions, type SendOptions, checkTime, resolveOptions } from "../options.js";
import type { Outcome } from "../outcome.js";
import { breaksConnection, isFault } from "../wire/faults.js";
import { checkGroup, checkName, namesOf, newInstance } from "../wire/names.js";
import { HandOver } from "./hand-over.js";
import { Hub } from "./hub.js";
import { KeepAlive } from "./keep-alive.js";
import { leave } from "./leaving.js";
import { OwnList } from "./own-list.js";
import { Reader } from "./reader.js";
import { Reclaimer } from "./reclaimer.js";
import { Recovery } from "./recovery.js";
import { Registration } from "./registration.js";
import { Requester } from "./requester.js";
import { type Peer, peersOf } from "./peers.js";
import { type Refuse, Responder, type Serve } from "./responder.js";
import { Router } from "./router.js";
import { Siblings } from "./siblings.js";
import { Supervisor } from "./supervisor.js";
import { waitAtMost } from "./timers.js";
import { type Stats, healthOf, statsOf } from "./vitals.js";
import { Wakeups } from "./wakeups.js";
import { Writer } from "./writer.js";

/** What is left to be written may take so long on close, in ms. */
const FLUSH_MS = 1000;
/** Leaving a Redis that is slow may take so long, in ms. */
const LEAVE_MS = 3000;

/** One instance of one group on one stream: makes its parts, and leads them from connect to close. */
export class Endpoint {
  readonly reporter = new Reporter();
  private readonly hub: Hub;
  private readonly reader: Reader;
  private readonly recovery: Recovery;
  private readonly supervisor: Supervisor;
  private closed: Promise<void> | undefined;

  /** Throws InvalidArgument for names and options that cannot be, before anything is written. */
  constructor(options: EndpointOptions, group: string, serve: Serve | undefined, refuse?: Refuse) {
    checkName("stream", options.stream);
    checkGroup(group);
    const hub = new Hub(namesOf(options.stream, group, newInstance()), resolveOptions(options), this.reporter);
    this.hub = hub;
    hub.writer = new Writer(hub);
    hub.requester = new Requester(hub);
    hub.responder = new Responder(hub, serve, refuse);
    hub.router = new Router(hub);
    hub.siblings = new Siblings(hub);
    hub.handOver = new HandOver(hub);
    hub.reclaimer = new Reclaimer(hub);
    hub.ownList = new OwnList(hub);
    hub.registration = new Registration(hub);
    this.reader = new Reader(
      hub,
      () => this.supervisor.regrouped(),
      () => this.recovery.readDispatcherList(),
    );
    this.recovery = new Recovery(hub, this.reader);
    this.supervisor = new Supervisor(hub, this.reader, new KeepAlive(hub), this.recovery);
    hub.wakeups = new Wakeups(hub, () => void hub.attempt(() => hub.registration.announce()));
  }

  get instance(): string {
    return this.hub.names.instance;
  }

  get group(): string {
    return this.hub.names.group;
  }

  /** Where it is in its life. */
  get lifecycle(): Lifecycle {
    return this.hub.lifecycle;
  }

  get connected(): boolean {
    return this.hub.live;
  }

  /** Throws ConnectFailed when Redis refuses, or is not reached within the limit (RIPC-LIFE-4). */
  connect(): Promise<void> {
    return this.supervisor.connect();
  }

  /** Ends with the outcome. Throws for what is refused before anything is written. */
  async send(group: string, value: unknown, options: SendOptions = {}, id?: string): Promise<Outcome> {
    checkName("group", group);
    const timeoutMs = options.timeoutMs ?? this.hub.options.timeoutMs;
    checkTime("timeoutMs", timeoutMs);
    const content = encodeContent(value);
    // A handler that close() waits for may need others to come to its end.
    const { closing, closed, responder } = this.hub;
    if (closed || (closing && responder.isIdle)) throw new EndpointClosed();
    return this.hub.requester.send(group, content, timeoutMs, options.signal, id);
  }

  /** The living instances of a group; undefined where Redis cannot be asked, or does not answer within the limit. Throws a RedisFault. */
  async peers(group: string, timeoutMs: number): Promise<Peer[] | undefined> {
    checkName("group", group);
    checkTime("timeoutMs", timeoutMs);
    if (this.hub.closing) throw new EndpointClosed();
    const limit = sleep(waitAtMost(timeoutMs), undefined, { ref: false });
    try {
      return await Promise.race([peersOf(this.hub, group), limit]);
    } catch (error) {
      if (isFault(error) && breaksConnection(error.kind)) return undefined;
      throw error;
    }
  }

  stats(): Stats {
    return statsOf(this.hub);
  }

  health(): Health {
    return healthOf(this.hub);
  }

  /** Lets handlers and own requests end, gives back what was not started, and leaves (section 6). May be called twice. */
  close(): Promise<void> {
    this.closed ??= this.leave();
    return this.closed;
  }

  private async leave(): Promise<void> {
    const { hub } = this;
    hub.closing = true;
    hub.lifecycle.advance("disconnect");
    hub.responder.giveBackQueued();
    let limit = false;
    if (hub.live) {
      const over = sleep(waitAtMost(hub.options.closeTimeoutMs), true, { ref: false });
      limit = await Promise.race([Promise.all([hub.responder.idle(), hub.requester.idle()]).then(() => false), over]);
    } // Without a connection nothing comes that could be waited for (RIPC-LIFE-15).
    hub.closed = true;
    hub.requester.cancelAll();
    hub.responder.rejectRunning();
    if (hub.live) await Promise.race([hub.attempt(() => this.signOff()), sleep(LEAVE_MS, undefined, { ref: false })]);
    const last = hub.live ? (limit ? "limit" : "left") : "lost";
    hub.wakeups.stop();
    await this.supervisor.stop();
    hub.lifecycle.advance(last);
  }

  private async signOff(): Promise<void> {
    const { hub } = this;
    // A read that was lost may still be served, as one that did not end may.
    const readEnded = (await this.reader.stop()) && this.reader.readAgainAt === undefined;
    await this.supervisor.stopTasks();
    await this.recovery.readDispatcherList();
    await hub.ownList.read();
    await this.flushed();
    if (hub.responder.answers.refused) {
      // What Redis has no memory for is not waited for any longer.
      hub.responder.answers.dropRefused();
      await this.flushed();
    }
    await leave(hub, readEnded);
  }

  private async flushed(): Promise<void> {
    await Promise.race([this.hub.writer.done(), sleep(FLUSH_MS, undefined, { ref: false })]);
  }
}
