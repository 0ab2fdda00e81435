/** The commands of the protocol, as lists of arguments. */
import { LAST } from "./entry-id.js";
import { FIELDS } from "./entry.js";
import type { Names } from "./names.js";

export type Argument = string | Buffer | number;
export type Command = readonly [string, ...Argument[]];
/** Who has no group knows the stream only. */
type OfStream = Pick<Names, "stream">;

/** How long a read blocks, in ms (RIPC-LIFE-5): half of what is allowed, so that one whose connection died silently is noticed within 6 s. */
export const BLOCK_MS = 2500;
/** Expiry of the availability list and the announcement, in s (RIPC-LIFE-10, RIPC-VERS-2). */
export const REGISTRATION_EXPIRY_S = 100;
/** The idle time that marks an entry as given back, in ms: 10 years, which no outage lasts (RIPC-GROUP-24). */
export const GIVE_BACK_IDLE_MS = 315_360_000_000;
/** The same for a response: 20 years. So a member knows without its body that it needs no room. */
export const GIVE_BACK_RESPONSE_IDLE_MS = 630_720_000_000;
/** The idle time from which on an entry counts as given back, in ms (RIPC-GROUP-36). */
export const GIVEN_BACK_FROM_MS = GIVE_BACK_IDLE_MS / 2;
/** The idle time from which on an entry has the mark of responses, in ms (RIPC-GROUP-36). */
export const RESPONSE_FROM_MS = 473_040_000_000;
/** The idle time from which on an owner claims an entry only if nobody has claimed it since, in ms (RIPC-GROUP-30). */
export const LATE_MS = 5000;
/** What one start adds to the delivery count of an entry: as much as a gem's reads add (RIPC-GROUP-20). */
export const COUNTS_A_START = 3;
/** Entries a read, or a look. */
export const PAGE = 128;

/** The values of the six fields, in their order. */
export type FieldValues = readonly [id: Argument, instance: Argument, status: string, content: string, source: Argument, destination: Argument];

export const createGroup = (n: Names, at: string, makeStream: boolean): Command => [
  "XGROUP", "CREATE", n.stream, n.group, at, ...(makeStream ? ["MKSTREAM"] : []),
];
export const createConsumer = (n: Names, name: string): Command => ["XGROUP", "CREATECONSUMER", n.stream, n.group, name];
export const deleteConsumer = (n: Names, name: Argument): Command => ["XGROUP", "DELCONSUMER", n.stream, n.group, name];
export const groups = (n: OfStream): Command => ["XINFO", "GROUPS", n.stream];
export const consumers = (n: Names): Command => ["XINFO", "CONSUMERS", n.stream, n.group];
export const streamInfo = (n: OfStream): Command => ["XINFO", "STREAM", n.stream];

export const register = (n: Names): Command[] => [
  ["MULTI"],
  ["LREM", n.availability, 0, n.consumer],
  ["LPUSH", n.availability, n.consumer],
  ["EXPIRE", n.availability, REGISTRATION_EXPIRY_S],
  ["EXEC"],
];
export const keepRegistered = (n: Names): Command => ["EXPIRE", n.availability, REGISTRATION_EXPIRY_S];
export const unregister = (n: Names): Command => ["LREM", n.availability, 0, n.consumer];
export const keepAnnounced = (n: Names): Command => ["EXPIRE", n.announcement, REGISTRATION_EXPIRY_S];
export const announce = (n: Names, text: string): Command => ["SET", n.announcement, text, "EX", REGISTRATION_EXPIRY_S];
export const unannounce = (n: Names): Command => ["DEL", n.announcement];

export const readNew = (n: Names, count: number): Command => [
  "XREADGROUP", "GROUP", n.group, n.dispatcher, "COUNT", count, "BLOCK", BLOCK_MS, "STREAMS", n.stream, ">",
];
/** The same without waiting, inside a transaction that writes. */
export const readNow = (n: Names, count: number): Command => [
  "XREADGROUP", "GROUP", n.group, n.dispatcher, "COUNT", count, "STREAMS", n.stream, ">",
];
/** What a caller reads: all that comes after an ID (RIPC-ASK-3). */
export const readAfter = (n: OfStream, after: string, count: number, blockMs: number): Command => [
  "XREAD", "COUNT", count, "BLOCK", blockMs, "STREAMS", n.stream, after,
];
/** Its own consumer's pending list, after an ID. */
export const readOwn = (n: Names, after: string, count: number): Command => [
  "XREADGROUP", "GROUP", n.group, n.consumer, "COUNT", count, "STREAMS", n.stream, after,
];
/** Finds nothing, and counts as a use of the consumer on every server (RIPC-LIFE-13). */
export const use = (n: Names, consumer: string): Command => [
  "XREADGROUP", "GROUP", n.group, consumer, "COUNT", 1, "STREAMS", n.stream, LAST,
];

/** RIPC-ENTRY-2, 3 and RIPC-REQ-13. */
export const add = (n: OfStream, values: FieldValues): Command => [
  "XADD", n.stream, "NOMKSTREAM", "*", ...FIELDS.flatMap((name, i) => [name, values[i]!]),
];
export const acknowledge = (n: Names, ids: readonly string[]): Command => ["XACK", n.stream, n.group, ...ids];
export const remove = (n: OfStream, ids: readonly string[]): Command => ["XDEL", n.stream, ...ids];

/** Answers and the settling of their requests, as one (RIPC-RESP-6). The replies: MULTI, each XADD, XACK, XDEL, EXEC. */
export const answers = (n: Names, responses: readonly FieldValues[], requests: readonly string[]): Command[] => [
  ["MULTI"],
  ...responses.map((values) => add(n, values)),
  acknowledge(n, requests),
  remove(n, requests),
  ["EXEC"],
];

// Claims have JUSTID: they read no body and count as no delivery (RIPC-GROUP-10).

/** Makes a consumer the owner, or resets the idle time as its owner: where an entry is idle for that long. */
export const claim = (n: Names, consumer: Argument, minIdleMs: number, ids: readonly string[]): Command => [
  "XCLAIM", n.stream, n.group, consumer, minIdleMs, ...ids, "JUSTID",
];
/** Another member's entry. `starts` counts the one to come. */
export const takeOver = (n: Names, minIdleMs: number, entryId: string, starts: number): Command => [
  "XCLAIM", n.stream, n.group, n.dispatcher, minIdleMs, entryId, "RETRYCOUNT", COUNTS_A_START * starts, "JUSTID",
];
/** An entry that is pending with nobody: FORCE makes it pending again, unless somebody else was faster (RIPC-GROUP-32). */
export const takeUp = (n: Names, entryId: string, starts: number): Command => [
  "XCLAIM", n.stream, n.group, n.dispatcher, LATE_MS, entryId, "RETRYCOUNT", COUNTS_A_START * starts, "FORCE", "JUSTID",
];
const mark = (responses: boolean): number => (responses ? GIVE_BACK_RESPONSE_IDLE_MS : GIVE_BACK_IDLE_MS);
/** Marks entries as free for any member (RIPC-GROUP-24). `responses`: all of them are known to be. */
export const giveBack = (n: Names, ids: readonly string[], minIdleMs = 0, responses = false): Command => [
  "XCLAIM", n.stream, n.group, n.dispatcher, minIdleMs, ...ids, "IDLE", mark(responses), "JUSTID",
];
/** Gives back what was pending for a consumer that was deleted (RIPC-LIFE-25). */
export const restore = (n: Names, entryId: string, deliveries: number, response: boolean): Command => [
  "XCLAIM", n.stream, n.group, n.dispatcher, 0, entryId, "IDLE", mark(response), "RETRYCOUNT", deliveries, "FORCE", "JUSTID",
];

/** A dispatcher that was deleted owns again what it had just read (RIPC-LIFE-25). */
export const returnTo = (n: Names, dispatcher: Argument, entryId: string, deliveries: number): Command => [
  "XCLAIM", n.stream, n.group, dispatcher, 0, entryId, "RETRYCOUNT", deliveries, "FORCE", "JUSTID",
];

/** What is pending and idle for some time, of all consumers. */
export const pendingIdle = (n: Names, idleMs: number, start: string, count = PAGE): Command => [
  "XPENDING", n.stream, n.group, "IDLE", idleMs, start, "+", count,
];
/** What is pending of one consumer. */
export const pendingOf = (n: Names, consumer: Argument, start: string, end: string, count: number): Command => [
  "XPENDING", n.stream, n.group, start, end, count, consumer,
];
/** Whoever it is: no consumer is named (RIPC-GROUP-32). */
export const ownerOf = (n: Names, entryId: string): Command => ["XPENDING", n.stream, n.group, entryId, entryId, 1];
export const body = (n: Names, entryId: string): Command => ["XRANGE", n.stream, entryId, entryId];
export const range = (n: OfStream, start: string, count = PAGE, end = "+"): Command => ["XRANGE", n.stream, start, end, "COUNT", count];
