/** Replies of Redis as this package's connection gives them, and what is read out of them. */
import { type Entry, entryOf } from "./entry.js";
import { RedisFault } from "./faults.js";

export type Reply = Buffer | number | null | RedisFault | Reply[];

/** One row of XPENDING. */
export interface PendingRow {
  readonly entryId: string;
  readonly owner: Buffer;
  /** ms */
  readonly idle: number;
  readonly deliveries: number;
}

export interface ConsumerInfo {
  readonly name: Buffer;
  readonly pending: number;
  /** ms */
  readonly idle: number;
}

/** XREADGROUP of one stream; nil means that there are no entries. */
export function entriesRead(reply: Reply): Entry[] {
  const [stream] = reply === null ? [] : list(reply);
  return stream === undefined ? [] : entriesOf(list(stream)[1] ?? []);
}

/** XRANGE. */
export function entriesOf(reply: Reply): Entry[] {
  return list(reply).map((item) => {
    const [id, fields] = list(item);
    return entryOf(text(id), fields === null || fields === undefined ? null : (list(fields) as Buffer[]));
  });
}

export function pendingRows(reply: Reply): PendingRow[] {
  return list(reply).map((item) => {
    const [id, owner, idle, deliveries] = list(item);
    return { entryId: text(id), owner: owner as Buffer, idle: Number(idle), deliveries: Number(deliveries) };
  });
}

/** XCLAIM ... JUSTID. Nil stands for nothing on some servers. */
export function claimedIds(reply: Reply): string[] {
  return list(reply).filter((item) => item !== null).map(text);
}

/** XINFO CONSUMERS. */
export function consumerInfos(reply: Reply): ConsumerInfo[] {
  return list(reply).map((item) => {
    const map = mapOf(item);
    return { name: map.get("name") as Buffer, pending: Number(map.get("pending")), idle: Number(map.get("idle")) };
  });
}

/** A group in XINFO GROUPS. */
export interface GroupInfo {
  readonly name: string;
  readonly consumers: number;
  readonly lastDelivered: string;
  readonly pending: number | undefined;
  /** Entries that it has not read, if the server knows it. */
  readonly lag: number | undefined;
}

export function groupInfos(reply: Reply): GroupInfo[] {
  return list(reply).map((item) => {
    const map = mapOf(item);
    const [lag, pending] = [map.get("lag"), map.get("pending")];
    return {
      name: (map.get("name") as Buffer).toString("utf8"),
      consumers: Number(map.get("consumers") ?? 0),
      lastDelivered: map.has("last-delivered-id") ? text(map.get("last-delivered-id")) : "0-0",
      pending: typeof pending === "number" ? pending : undefined,
      lag: typeof lag === "number" ? lag : undefined,
    };
  });
}

/** The names of the groups in XINFO GROUPS. */
export function groupNames(reply: Reply): Set<string> {
  return new Set(list(reply).map((item) => (mapOf(item).get("name") as Buffer).toString("utf8")));
}

/** `last-delivered-id` of a group in XINFO GROUPS, or undefined. */
export function lastDelivered(reply: Reply, group: string): string | undefined {
  const name = Buffer.from(group);
  const found = list(reply).map(mapOf).find((map) => (map.get("name") as Buffer).equals(name));
  return found === undefined ? undefined : text(found.get("last-delivered-id"));
}

/** `last-generated-id` in XINFO STREAM. */
export function lastGenerated(reply: Reply): string {
  return text(mapOf(reply).get("last-generated-id"));
}

/** TIME, in ms. */
export function timeOfReply(reply: Reply): number {
  const [seconds, micros] = list(reply).map(text);
  return Number(seconds) * 1000 + Number(micros) / 1000;
}

/** The major version in INFO. 0 if it is missing: then nothing is assumed (RIPC-REDIS-1). */
export function majorVersion(reply: Reply): number {
  const info = Buffer.isBuffer(reply) ? reply.toString("latin1") : "";
  return Number(/^redis_version:(\d+)/m.exec(info)?.[1] ?? 0);
}

export function text(reply: Reply | undefined): string {
  if (Buffer.isBuffer(reply)) return reply.toString("latin1");
  throw new RedisFault("unknown", `a reply of Redis is not a string where one belongs: ${typeof reply}`);
}

export function list(reply: Reply): Reply[] {
  if (Array.isArray(reply)) return reply;
  if (reply instanceof RedisFault) throw reply;
  throw new RedisFault("unknown", `a reply of Redis is not a list where one belongs: ${typeof reply}`);
}

function mapOf(reply: Reply): Map<string, Reply> {
  const flat = list(reply);
  const map = new Map<string, Reply>();
  for (let i = 0; i + 1 < flat.length; i += 2) map.set(text(flat[i]), flat[i + 1] as Reply);
  return map;
}
