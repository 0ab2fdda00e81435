import type { Json } from "./json.js";
import { Endpoint } from "./core/endpoint.js";
import type { Peer } from "./core/peers.js";
import type { Refuse, Serve } from "./core/responder.js";
import type { Stats } from "./core/vitals.js";
import { type EndpointEvents, type Reporter, checkEventName } from "./events.js";
import { checkFunction, checkOptions } from "./given.js";
import type { Health } from "./lifecycle.js";
import { type EndpointOptions, type SendOptions, checkSendOptions } from "./options.js";
import { valueOf } from "./outcome.js";
import { type PingOptions, ping, waitForGroup } from "./ping.js";
import { newRequestId } from "./wire/names.js";

/** A member that no other can reach any more, and that has no handler, is useless: it is closed, and its user learns it. */
const dropped = new FinalizationRegistry<Endpoint>((endpoint) => {
  const { state } = endpoint.lifecycle;
  if (state !== "up" && state !== "down") return;
  const what = `an endpoint of group ${endpoint.group} was dropped while it was connected`;
  process.emitWarning(`${what}: keep it as long as you need it, then close() it`, { type: "RedisIpcWarning", code: "dropped" });
  void endpoint.close();
});

/** The common part of streams and channels: events, identity, and leaving. */
export abstract class Member {
  /** Not for users. */
  protected readonly endpoint: Endpoint;
  private readonly defaultTimeoutMs: number;

  protected constructor(options: EndpointOptions, group: string, serve: Serve | undefined, refuse?: Refuse) {
    this.endpoint = new Endpoint(options, group, serve, refuse);
    if (serve === undefined) dropped.register(this, this.endpoint);
    this.defaultTimeoutMs = options.timeoutMs ?? 5000;
  }

  /** The id of this instance: 6 hex characters, new with each connect. */
  get instance(): string {
    return this.endpoint.instance;
  }

  /** The group, or the name of the channel. */
  get group(): string {
    return this.endpoint.group;
  }

  /** Whether Redis is connected at the moment. */
  get connected(): boolean {
    return this.endpoint.connected;
  }

  /** Numbers of this endpoint, from its connect on. */
  stats(): Stats {
    return this.endpoint.stats();
  }

  /** Whether it can work, and else why not. `on("state")` tells each change of its connection. */
  health(): Health {
    return this.endpoint.health();
  }

  /**
   * The living instances of a group; empty where there are none. It sends no request: Redis and announcements tell. An instance
   * that crashed counts as living for up to 30 s, a crashed gem for up to 100 s.
   *
   * Throws RequestTimeout where Redis does not answer in time, RequestFailed where it refuses, InvalidArgument and EndpointClosed.
   */
  async ping(group: string, options: PingOptions = {}): Promise<Peer[]> {
    checkOptions("the options of a ping", options, ["timeoutMs"]);
    const { timeoutMs = this.defaultTimeoutMs } = options;
    return ping(this.endpoint, group, timeoutMs);
  }

  /** Waits until a group has a living instance, and gives those that it has. Throws RequestTimeout, after 30 s by default; else as ping() does. */
  async waitForGroup(group: string, options: SendOptions = {}): Promise<Peer[]> {
    checkSendOptions("the options of a wait", options);
    const { timeoutMs = 30_000, signal } = options;
    return waitForGroup(this.endpoint, group, timeoutMs, signal);
  }

  on<Name extends keyof EndpointEvents>(event: Name, listener: (...args: EndpointEvents[Name]) => void): this {
    checkEventName(event);
    checkFunction("the listener", listener);
    this.endpoint.reporter.on(event, listener);
    return this;
  }

  off<Name extends keyof EndpointEvents>(event: Name, listener: (...args: EndpointEvents[Name]) => void): this {
    checkEventName(event);
    checkFunction("the listener", listener);
    (this.endpoint.reporter as Pick<Reporter, "off">).off(event, listener as never);
    return this;
  }

  /**
   * Leaves: lets handlers and own requests end for up to `closeTimeoutMs`, gives back what was not started, and ends the
   * connections. What is still outstanding then ends as RequestCancelled. A handler must not await it: it waits for that handler.
   */
  close(): Promise<void> {
    return this.endpoint.close();
  }

  /** `await using` closes it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  protected async request(group: string, value: unknown, options: SendOptions): Promise<Json> {
    const requestId = newRequestId();
    const outcome = await this.endpoint.send(group, value, options, requestId);
    return valueOf(outcome, { group, requestId, timeoutMs: options.timeoutMs ?? this.defaultTimeoutMs, signal: options.signal });
  }
}
