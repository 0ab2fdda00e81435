/** The commands of the protocol, as lists of arguments. */
import { LAST } from "./entry-id.js";
import { FIELDS } from "./entry.js";
import type { Names } from "./names.js";

export type Argument = string | Buffer | number;
export type Command = readonly [string, ...Argument[]];

/** How long a read blocks, in ms (RIPC-LIFE-5). */
export const BLOCK_MS = 5000;
/** Expiry of the availability list and the announcement, in s (RIPC-LIFE-10, RIPC-VERS-2). */
export const EXPIRY_S = 100;
/** What an entry that was given back is idle for, and from when on it counts as one, in ms (RIPC-GROUP-24). */
export const GIVEN_BACK_MS = 86_400_000;
export const COUNTS_AS_GIVEN_BACK_MS = 43_200_000;
/** Entries a read, or a look. */
export const PAGE = 128;

/** The values of the six fields, in their order. */
export type FieldValues = readonly [id: Argument, instance: Argument, status: string, content: string, source: Argument, destination: Argument];

export const createGroup = (n: Names, at: string): Command => ["XGROUP", "CREATE", n.stream, n.group, at, "MKSTREAM"];
export const setGroup = (n: Names, at: string): Command => ["XGROUP", "SETID", n.stream, n.group, at];
export const createConsumer = (n: Names, name: string): Command => ["XGROUP", "CREATECONSUMER", n.stream, n.group, name];
export const deleteConsumer = (n: Names, name: Argument): Command => ["XGROUP", "DELCONSUMER", n.stream, n.group, name];
export const groups = (n: Names): Command => ["XINFO", "GROUPS", n.stream];
export const consumers = (n: Names): Command => ["XINFO", "CONSUMERS", n.stream, n.group];
export const streamInfo = (n: Names): Command => ["XINFO", "STREAM", n.stream];

export const register = (n: Names): Command[] => [
  ["MULTI"],
  ["LREM", n.availability, 0, n.consumer],
  ["LPUSH", n.availability, n.consumer],
  ["EXPIRE", n.availability, EXPIRY_S],
  ["EXEC"],
];
export const keepRegistered = (n: Names): Command => ["EXPIRE", n.availability, EXPIRY_S];
export const unregister = (n: Names): Command => ["LREM", n.availability, 0, n.consumer];
export const announce = (n: Names, text: string): Command => ["SET", n.announcement, text, "EX", EXPIRY_S];
export const unannounce = (n: Names): Command => ["DEL", n.announcement];

export const readNew = (n: Names): Command => [
  "XREADGROUP", "GROUP", n.group, n.dispatcher, "COUNT", PAGE, "BLOCK", BLOCK_MS, "STREAMS", n.stream, ">",
];
/** The own consumer's pending list, after an ID. */
export const readOwn = (n: Names, after: string): Command => [
  "XREADGROUP", "GROUP", n.group, n.consumer, "COUNT", PAGE, "STREAMS", n.stream, after,
];
/** Finds nothing, and counts as a use of the consumer on every server (RIPC-LIFE-13). */
export const use = (n: Names, consumer: string): Command => [
  "XREADGROUP", "GROUP", n.group, consumer, "COUNT", 1, "STREAMS", n.stream, LAST,
];

/** RIPC-ENTRY-2, 3 and RIPC-REQ-13. */
export const add = (n: Names, values: FieldValues): Command => [
  "XADD", n.stream, "NOMKSTREAM", "*", ...FIELDS.flatMap((name, i) => [name, values[i]!]),
];
export const acknowledge = (n: Names, ids: readonly string[]): Command => ["XACK", n.stream, n.group, ...ids];
export const remove = (n: Names, ids: readonly string[]): Command => ["XDEL", n.stream, ...ids];

/** Answers and the settling of their requests, as one (RIPC-RESP-6). The replies: MULTI, each XADD, XACK, XDEL, EXEC. */
export const answers = (n: Names, responses: readonly FieldValues[], requests: readonly string[]): Command[] => [
  ["MULTI"],
  ...responses.map((values) => add(n, values)),
  acknowledge(n, requests),
  remove(n, requests),
  ["EXEC"],
];

export interface ClaimOptions {
  /** Sets the idle time, in ms. */
  readonly idle?: number;
  /** Sets the delivery count. */
  readonly starts?: number;
}

/** Always JUSTID: it does not count as a delivery (RIPC-GROUP-10, 20). */
export function claim(n: Names, consumer: Argument, minIdleMs: number, ids: readonly string[], options: ClaimOptions = {}): Command {
  const idle = options.idle === undefined ? [] : ["IDLE", options.idle];
  const starts = options.starts === undefined ? [] : ["RETRYCOUNT", options.starts];
  return ["XCLAIM", n.stream, n.group, consumer, minIdleMs, ...ids, ...idle, ...starts, "JUSTID"];
}

/** What is pending and idle for some time, of all consumers. */
export const pendingIdle = (n: Names, idleMs: number, start: string, count = PAGE): Command => [
  "XPENDING", n.stream, n.group, "IDLE", idleMs, start, "+", count,
];
/** What is pending of one consumer. */
export const pendingOf = (n: Names, consumer: string, start: string, end: string, count: number): Command => [
  "XPENDING", n.stream, n.group, start, end, count, consumer,
];
export const body = (n: Names, entryId: string): Command => ["XRANGE", n.stream, entryId, entryId];
export const range = (n: Names, start: string, count = PAGE): Command => ["XRANGE", n.stream, start, "+", "COUNT", count];
