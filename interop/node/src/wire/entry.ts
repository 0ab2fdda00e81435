/** Entries of the stream, as they are read (SPEC.md sections 4 and 14). Values are bytes: others may write anything. */

export type Status = "fulfilled" | "rejected";

interface WellFormed {
  readonly entryId: string;
  readonly id: Buffer;
  readonly instance: Buffer;
  readonly content: Buffer;
  readonly source: Buffer;
  readonly destination: Buffer;
}

export interface Request extends WellFormed {
  readonly kind: "request";
}

export interface Response extends WellFormed {
  readonly kind: "response";
  readonly status: Status;
}

export interface Malformed {
  readonly kind: "malformed";
  readonly entryId: string;
  readonly why: string;
  /** Undefined where the field is missing. */
  readonly destination: Buffer | undefined;
  readonly fields: readonly (readonly [string, Buffer])[];
}

/** Redis gave the ID only: the body was deleted while the entry was pending (RIPC-ROUTE-12). */
export interface Bodyless {
  readonly kind: "bodyless";
  readonly entryId: string;
}

export type Entry = Request | Response | Malformed | Bodyless;

/** In the order in which they are written (RIPC-ENTRY-2). */
export const FIELDS = ["id", "instance_id", "status", "content", "source_group", "destination_group"] as const;
type Field = (typeof FIELDS)[number];
const NOT_EMPTY: readonly Field[] = ["id", "instance_id", "source_group", "destination_group"];

/** An entry from the flat list of its fields; null for one without a body. */
export function entryOf(entryId: string, flat: readonly Buffer[] | null): Entry {
  if (flat === null) return { kind: "bodyless", entryId };
  const fields: [string, Buffer][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) {
    fields.push([flat[i]!.toString("utf8"), flat[i + 1]!]);
  }
  const map = new Map(fields); // of a field that stands twice the last one counts
  const why = flaw(fields, map);
  const status = map.get("status")?.toString("latin1");
  if (why !== undefined) return { kind: "malformed", entryId, why, destination: map.get("destination_group"), fields };
  const body = {
    entryId,
    id: map.get("id")!,
    instance: map.get("instance_id")!,
    content: map.get("content")!,
    source: map.get("source_group")!,
    destination: map.get("destination_group")!,
  };
  return status === "pending" ? { kind: "request", ...body } : { kind: "response", status: status as Status, ...body };
}

function flaw(fields: readonly [string, Buffer][], map: ReadonlyMap<string, Buffer>): string | undefined {
  const missing = FIELDS.find((name) => !map.has(name));
  if (missing !== undefined) return `the field ${missing} is missing`;
  const known: ReadonlySet<string> = new Set(FIELDS);
  const other = fields.find(([name]) => !known.has(name));
  if (other !== undefined) return `it has a field ${JSON.stringify(other[0])}, which entries do not have`;
  if (fields.length > map.size) return "a field stands twice";
  const empty = NOT_EMPTY.find((name) => map.get(name)?.length === 0);
  if (empty !== undefined) return `the field ${empty} is empty`;
  const status = map.get("status")?.toString("latin1") ?? "";
  if (!["pending", "fulfilled", "rejected"].includes(status)) return `${JSON.stringify(status)} is not a status`;
  return undefined;
}

/** A key for maps that distinguishes all bytes, also those that are not valid UTF-8. */
export function keyOf(bytes: Buffer): string {
  return bytes.toString("latin1");
}

/** The key of a text that we made. */
export function keyOfText(text: string): string {
  return Buffer.from(text).toString("latin1");
}
