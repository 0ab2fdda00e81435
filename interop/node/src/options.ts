import type { RedisOptions } from "ioredis";

import { InvalidArgument } from "./errors.js";
import { checkCount, checkFlag, checkOptions, checkTime, checkTls, shown } from "./given.js";
import { addressOf } from "./redis/address.js";
import { type Observer, checkObservers } from "./observing.js";
import type { ExposeErrors } from "./reasons.js";

/** For so long a request to a group that reads others' entries only may wait for it, whatever the option says. */
const LONGEST_READ_PAUSE_MS = 50;

/** The options of every endpoint. Times are in milliseconds. */
export interface EndpointOptions {
  /** `redis://[[user]:password@]host[:port][/db]`, or `rediss://` for TLS. */
  readonly url: string;
  /** The key of the Redis stream that all endpoints share. */
  readonly stream: string;
  /** Options of the TLS socket, as of node:tls. */
  readonly tls?: RedisOptions["tls"];
  /** How long a send waits for its response where it says nothing itself. Default: 5000 ms. */
  readonly timeoutMs?: number;
  /** Handlers that run at once. Default: 32. */
  readonly concurrency?: number;
  /** Requests that wait here while all handlers are busy and the group has no other member. Default: 1000. */
  readonly queueLimit?: number;
  /** Requests sent and not yet answered; a send beyond throws TooManyOutstanding. Default: 10 000. */
  readonly maxOutstanding?: number;
  /** How long connecting may take, attempts included. Default: 5000 ms. */
  readonly connectTimeoutMs?: number;
  /** How long close() lets handlers and own requests end. Default: 5000 ms. */
  readonly closeTimeoutMs?: number;
  /** Requests that are older on arrival are rejected. Default: none is too old (RIPC-TIME-11). */
  readonly maxRequestAgeMs?: number | null;
  /**
   * How long a group that reads other groups' entries only may wait before it reads again: it saves work on a stream with many groups, and may
   * delay the first request to the group by this time. 0: it never waits. Default: 2 ms, at most 50.
   */
  readonly readPauseMs?: number;
  /** Whether pub/sub is used to wake members of the group; without, some things take up to a few seconds. Default: true. */
  readonly wakeups?: boolean;
  /** Whether a send to a group that does not exist ends as NoResponders before its timeout. Default: true. */
  readonly earlyEnd?: boolean;
  /**
   * What a requester sees of a handler that failed: the `type` of the error and the id of the request, its `text` as well, or `none`
   * of both. A problem has all. Default: `type`.
   */
  readonly exposeErrors?: ExposeErrors;
  /** Functions that are called for each request and each handler. One that throws is reported, and not called again. Default: none. */
  readonly observers?: readonly Observer[];
  /** Whether the instance tells its version and features in a side key. Default: true. */
  readonly announce?: boolean;
}

export interface SendOptions {
  /** How long to wait for the response, in ms. Default: `timeoutMs` of the endpoint. */
  readonly timeoutMs?: number;
  /** Gives the send up: it then throws RequestCancelled, and its request is deleted. */
  readonly signal?: AbortSignal;
}

/** The names of the options of every endpoint. */
export const ENDPOINT_OPTIONS = [
  "url", "stream", "tls", "timeoutMs", "concurrency", "queueLimit", "maxOutstanding", "connectTimeoutMs", "closeTimeoutMs", "maxRequestAgeMs", "readPauseMs", "wakeups",
  "earlyEnd", "exposeErrors", "announce", "observers",
] as const satisfies readonly (keyof EndpointOptions)[];

/** Throws InvalidArgument. `more`: what a call takes beside the options of every send. */
export function checkSendOptions(what: string, options: SendOptions, more: readonly string[] = []): void {
  checkOptions(what, options, ["timeoutMs", "signal", ...more]);
  const { signal }: { signal?: unknown } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw new InvalidArgument(`signal must be an AbortSignal, not ${shown(signal)}`);
}

export type ResolvedOptions = Required<Omit<EndpointOptions, "tls" | "stream">> & Pick<EndpointOptions, "tls">;

/** Fills in the defaults. Throws InvalidArgument for what cannot be. */
export function resolveOptions(given: EndpointOptions): ResolvedOptions {
  const options: ResolvedOptions = {
    url: given.url,
    ...(given.tls === undefined ? {} : { tls: given.tls }),
    timeoutMs: given.timeoutMs ?? 5000,
    concurrency: given.concurrency ?? 32,
    queueLimit: given.queueLimit ?? 1000,
    maxOutstanding: given.maxOutstanding ?? 10_000,
    connectTimeoutMs: given.connectTimeoutMs ?? 5000,
    closeTimeoutMs: given.closeTimeoutMs ?? 5000,
    maxRequestAgeMs: given.maxRequestAgeMs ?? null,
    readPauseMs: given.readPauseMs ?? 2,
    wakeups: given.wakeups ?? true,
    announce: given.announce ?? true,
    earlyEnd: given.earlyEnd ?? true,
    exposeErrors: given.exposeErrors ?? "type",
    observers: given.observers ?? [],
  };
  addressOf(options.url);
  checkTls(given.tls);
  checkObservers(options.observers);
  checkFlag("wakeups", options.wakeups);
  checkFlag("announce", options.announce);
  checkFlag("earlyEnd", options.earlyEnd);
  checkTime("timeoutMs", options.timeoutMs);
  checkTime("connectTimeoutMs", options.connectTimeoutMs);
  if (options.maxRequestAgeMs !== null) checkTime("maxRequestAgeMs", options.maxRequestAgeMs);
  if (!(Number.isFinite(options.closeTimeoutMs) && options.closeTimeoutMs >= 0)) {
    throw new InvalidArgument(`closeTimeoutMs must be a number of milliseconds from 0 on, not ${shown(options.closeTimeoutMs)}`);
  }
  const { readPauseMs } = options;
  if (!(Number.isFinite(readPauseMs) && readPauseMs >= 0 && readPauseMs <= LONGEST_READ_PAUSE_MS)) {
    throw new InvalidArgument(`readPauseMs must be a number of milliseconds from 0 to ${LONGEST_READ_PAUSE_MS}, not ${shown(readPauseMs)}; 0 means never`);
  }
  if (!["type", "text", "none"].includes(options.exposeErrors)) {
    throw new InvalidArgument(`exposeErrors must be "type", "text" or "none", not ${shown(options.exposeErrors)}`);
  }
  checkCount("concurrency", options.concurrency, 1);
  checkCount("queueLimit", options.queueLimit, 0);
  checkCount("maxOutstanding", options.maxOutstanding, 1);
  return options;
}
