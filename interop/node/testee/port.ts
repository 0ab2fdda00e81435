// The port: what each call of the protocol is in the public API.
import {
  Channel,
  type ChannelEvent,
  type EndpointOptions,
  type IncomingRequest,
  type Json,
  type Problem,
  NO_ANSWER,
  Stream,
  VERSION,
} from "redisipc";

import { Calls, optionsOf } from "./calls.js";
import { type Method, type Methods, type Params, notify } from "./protocol.js";

/** The options of `connect` and what they are here; all others are refused. */
const OPTIONS: Readonly<Record<string, readonly [name: keyof EndpointOptions, factor: number]>> = {
  timeout: ["timeoutMs", 1000],
  concurrency: ["concurrency", 1],
  queue: ["queueLimit", 1],
  max_outstanding: ["maxOutstanding", 1],
  connect_timeout: ["connectTimeoutMs", 1000],
  close_timeout: ["closeTimeoutMs", 1000],
  max_request_age: ["maxRequestAgeMs", 1000],
  wakeups: ["wakeups", 1],
};

interface Started {
  readonly request: IncomingRequest;
  readonly isEvent: boolean;
  /** End the handler: with what it returns, or with a failure. */
  readonly end: (value: unknown) => void;
  readonly fail: (error: unknown) => void;
}

interface Declared {
  readonly event: string;
  readonly params: readonly string[];
}

export class Port implements Methods {
  private readonly endpoints = new Map<string, Stream | Channel>();
  private readonly started = new Map<string, Started>();
  private readonly calls = new Calls();
  private requests = 0;

  readonly methods: Methods["methods"] = {
    hello: [() => Promise.resolve(hello()), "protocol"],
    connect: [(params) => this.connect(params), "endpoint", "url", "stream", "group"],
    send: [this.calls.outcomeOf((params) => this.send(params)), "endpoint", "to", "content"],
    trigger: [this.calls.outcomeOf((params) => this.trigger(params)), "endpoint", "event", "target"],
    cancel: [(params) => this.calls.cancel(params), "endpoint", "call"],
    fulfill: [this.decide(fulfill), "endpoint", "request", "content"],
    reject: [this.decide(({ request, end }, { content }) => { request.reject(content); end(null); }), "endpoint", "request", "content"],
    raise: [this.decide(raise), "endpoint", "request", "message"],
    block: [this.decide((_, { seconds }) => { setTimeout(stand, 50, (seconds as number) * 1000); }), "endpoint", "request", "seconds"],
    ignore: [this.decide(({ end }) => { end(NO_ANSWER); }), "endpoint", "request"],
    disconnect: [(params) => this.disconnect(params), "endpoint"],
    shutdown: [() => this.shutdown()],
  };

  private async connect(params: Params): Promise<Params> {
    const name = params.endpoint as string;
    const events = params.events as readonly Declared[] | undefined;
    const common = {
      ...(optionsOf((params.options ?? {}) as Params, OPTIONS) as Partial<EndpointOptions>),
      exposeErrors: "text" as const, // a scenario looks for the text
      url: params.url as string,
      stream: params.stream as string,
    };
    const member =
      events === undefined
        ? await Stream.connect({ ...common, group: params.group as string, onRequest: (request) => this.handle(name, request) })
        : await Channel.connect({ ...common, channel: params.group as string, events: this.eventsOf(name, events) });
    this.endpoints.set(name, member);
    member.on("problem", (problem) => {
      tell(name, problem);
    });
    member.on("disconnected", (reason) => {
      notify("error", { endpoint: name, kind: "connection", message: reason.message });
    });
    return { instance: member.instance };
  }

  private eventsOf(endpoint: string, declared: readonly Declared[]): Record<string, ChannelEvent> {
    const events = declared.map(({ event, params }): [string, ChannelEvent] => [
      event,
      { params, run: (given, request) => this.handle(endpoint, request, { event, params: given }) },
    ]);
    return Object.fromEntries(events);
  }

  /** Tells the runner, and ends as it decides. */
  private handle(endpoint: string, request: IncomingRequest, channel: Params = {}): Promise<unknown> {
    const name = `r${++this.requests}`;
    const { id, content, source, instance, redelivered } = request;
    return new Promise((end, fail) => {
      this.started.set(name, { request, isEvent: "event" in channel, end, fail });
      request.signal.addEventListener("abort", () => {
        notify("cancelled", { endpoint, request: name });
      });
      notify("received", { endpoint, request: name, id, content, source, instance, redelivered, ...channel });
    });
  }

  private decide(how: (started: Started, params: Params) => void): Method {
    return (params) => {
      this.endpoint(params);
      const name = params.request as string;
      const started = this.started.get(name);
      if (started === undefined) return Promise.reject(new Error(`there is no request ${name}`));
      how(started, params);
      return Promise.resolve({});
    };
  }

  private send(params: Params): Promise<Json> {
    const stream = this.endpoint(params);
    if (!(stream instanceof Stream)) throw new Error("a channel triggers");
    return stream.send(params.to as string, params.content, this.calls.options(params));
  }

  private trigger(params: Params): Promise<Json> {
    const channel = this.endpoint(params);
    if (!(channel instanceof Channel)) throw new Error("only a channel triggers");
    const given = (Object.hasOwn(params, "params") ? params.params : {}) as Params;
    return channel.trigger(params.event as string, given, { ...this.calls.options(params), target: params.target as string });
  }

  /** It stays known, so that the library itself refuses later calls. */
  private async disconnect(params: Params): Promise<Params> {
    await this.endpoint(params).close();
    return {};
  }

  private async shutdown(): Promise<Params> {
    await Promise.all([...this.endpoints.values()].map((member) => member.close()));
    return {};
  }

  private endpoint(params: Params): Stream | Channel {
    const member = this.endpoints.get(params.endpoint as string);
    if (member === undefined) throw new Error(`there is no endpoint ${String(params.endpoint)}`);
    return member;
  }
}

/** An event answers with what it returns (RIPC-CHAN-9). A handler of a stream answers by the call. */
function fulfill({ request, isEvent, end }: Started, { content }: Params): void {
  if (!isEvent) request.fulfill(content);
  end(isEvent ? content : null);
}

/** With a failure of its own, which may look like that of an operation that was cancelled. */
function raise({ fail }: Started, { message, cancelled }: Params): void {
  fail(cancelled === true ? new DOMException(message as string, "AbortError") : new Error(message as string));
}

/** Blocks the event loop, as a handler does that computes or waits without await. */
function stand(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function hello(): Params {
  return {
    protocol: "1.0",
    name: "redisipc (Node.js)",
    version: VERSION,
    language: "javascript",
    spec: ["1.0"],
    profiles: ["base", "group", "channel", "resilient"],
    features: ["cancel", "cancellation", "redelivery", "wakeup", "announce", "early-end", "block", "raise-cancelled"],
  };
}

function tell(endpoint: string, { kind, message, cause, fields }: Problem): void {
  const text = cause instanceof Error ? `${message}: ${cause.message}` : message;
  const raw = fields?.map(([name, value]) => [name, value.toString("utf8")]);
  notify("error", { endpoint, kind, message: text, ...(raw === undefined ? {} : { fields: Object.fromEntries(raw) as Params }) });
}
