import { channelRequest, readChannelRequest } from "./channel-request.js";
import { decodeContent } from "./content/content.js";
import type { Json } from "./json.js";
import { InvalidArgument, Refusal } from "./errors.js";
import { checkFunction, checkOptions, checkTime, shown } from "./given.js";
import { Member } from "./member.js";
import { ENDPOINT_OPTIONS, type EndpointOptions, type SendOptions, checkSendOptions } from "./options.js";
import type { IncomingRequest } from "./request.js";
import { UNSUPPORTED_EVENT } from "./reasons.js";
import { serveWith } from "./serve.js";

/** One event of a channel. */
export interface ChannelEvent {
  /** The parameters that `run` is given, of those that were sent (RIPC-CHAN-6). */
  readonly params?: readonly string[];
  /** Answers like the handler of a stream. A declared parameter that was not sent is not in `params`. */
  readonly run: (params: Record<string, Json>, request: IncomingRequest) => unknown;
}

export interface ChannelOptions extends EndpointOptions {
  /** The name of the channel, which is its group. */
  readonly channel: string;
  /** What others may trigger here. Without, requests are left to siblings; where there are none, they are rejected as unsupported events. */
  readonly events?: Readonly<Record<string, ChannelEvent>>;
}

export interface TriggerOptions extends SendOptions {
  /** The channel that has the event. */
  readonly target: string;
}

/** A group with named events (SPEC.md section 12). */
export class Channel extends Member {
  private constructor(options: ChannelOptions) {
    checkOptions("the options of a Channel", options, [...ENDPOINT_OPTIONS, "channel", "events"]);
    const events = eventsOf(options.events);
    const run = (request: IncomingRequest) => dispatch(events, request);
    // Without events there is nothing to run: siblings that have some get the requests (RIPC-GROUP-35).
    const serve = events.size === 0 ? undefined : serveWith(run, () => this.endpoint.reporter, options.exposeErrors);
    super(options, options.channel, serve, ({ content }) => reasonWithoutEvents(content));
  }

  /** Resolved when any other endpoint can reach this one. Throws InvalidArgument and ConnectFailed. */
  static async connect(options: ChannelOptions): Promise<Channel> {
    const channel = new Channel(options);
    await channel.endpoint.connect();
    return channel;
  }

  /** Triggers an event of another channel, and waits for what it returns. A `timeoutMs` given here travels with the request. Throws as Stream.send does. */
  async trigger(event: string, params: Readonly<Record<string, unknown>>, options: TriggerOptions): Promise<Json> {
    checkTrigger(event, params);
    checkSendOptions("the options of a trigger", options, ["target"]);
    const { target, timeoutMs } = options;
    if (timeoutMs !== undefined) checkTime("timeoutMs", timeoutMs);
    return this.request(target, channelRequest(event, params, timeoutMs), options);
  }
}

function eventsOf(given: ChannelOptions["events"] = {}): Map<string, ChannelEvent> {
  const all: unknown = given;
  if (typeof all !== "object" || all === null || Array.isArray(all)) throw new InvalidArgument(`events must be an object: events by name, not ${shown(all)}`);
  const events = new Map(Object.entries(given));
  for (const [name, event] of events) checkEvent(name, event);
  return events;
}

function checkEvent(name: string, event: unknown): void {
  checkOptions(`the event ${name}`, event, ["params", "run"]);
  const { params, run } = event as { params?: unknown; run?: unknown };
  checkFunction(`run of the event ${name}`, run);
  if (params !== undefined && !(Array.isArray(params) && params.every((param) => typeof param === "string"))) {
    throw new InvalidArgument(`params of the event ${name} must be a list of names, not ${shown(params)}`);
  }
  const twice = params?.find((param, i) => params.indexOf(param) !== i);
  if (twice !== undefined) throw new InvalidArgument(`params of the event ${name} has ${shown(twice)} twice: each name stands once`);
}

/** Callers without types get the same checks as callers with types. */
function checkTrigger(event: unknown, params: unknown): void {
  if (typeof event !== "string") throw new InvalidArgument(`the event must be a string, not ${typeof event}`);
  if (typeof params !== "object" || params === null || Array.isArray(params)) {
    throw new InvalidArgument(`the params must be an object: parameters by name, not ${shown(params)}`);
  }
}

/** The words are those of a channel that lacks the event. Nothing is supported, so there always is a reason. */
function reasonWithoutEvents(content: Buffer): Json {
  try {
    const { event } = readChannelRequest(decodeContent(content), () => false);
    return UNSUPPORTED_EVENT + event;
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
}

function dispatch(events: ReadonlyMap<string, ChannelEvent>, request: IncomingRequest): unknown {
  const { event, params } = readChannelRequest(request.content, (name) => events.has(name));
  const found = events.get(event);
  if (found === undefined) throw new Refusal(UNSUPPORTED_EVENT + event);
  const declared = new Set(found.params);
  const given = Object.entries(params).filter(([name]) => declared.has(name));
  return found.run(Object.fromEntries(given) as Record<string, Json>, request);
}
