import type { Json } from "./content/json.js";
import { Endpoint } from "./core/endpoint.js";
import type { Refuse, Serve } from "./core/responder.js";
import type { EndpointEvents, Reporter } from "./events.js";
import type { EndpointOptions, SendOptions } from "./options.js";
import { valueOf } from "./outcome.js";

/** What streams and channels have in common: events, identity, and leaving. */
export abstract class Member {
  /** Not for users. */
  protected readonly endpoint: Endpoint;
  private readonly defaultTimeoutMs: number;

  protected constructor(options: EndpointOptions, group: string, serve: Serve | undefined, refuse?: Refuse) {
    this.endpoint = new Endpoint(options, group, serve, refuse);
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

  on<Name extends keyof EndpointEvents>(event: Name, listener: (...args: EndpointEvents[Name]) => void): this {
    this.endpoint.reporter.on(event, listener);
    return this;
  }

  off<Name extends keyof EndpointEvents>(event: Name, listener: (...args: EndpointEvents[Name]) => void): this {
    (this.endpoint.reporter as Pick<Reporter, "off">).off(event, listener as never);
    return this;
  }

  /**
   * Leaves: lets handlers and own requests end for up to `closeTimeoutMs`, gives back what was not started, and ends the
   * connections. What is still outstanding then ends as RequestCancelled.
   */
  close(): Promise<void> {
    return this.endpoint.close();
  }

  /** `await using` closes it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  protected async request(group: string, value: unknown, options: SendOptions): Promise<Json> {
    const outcome = await this.endpoint.send(group, value, options);
    return valueOf(outcome, group, options.timeoutMs ?? this.defaultTimeoutMs, options.signal);
  }
}
