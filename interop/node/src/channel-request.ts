import type { Json } from "./json.js";
import { writeJson } from "./content/json-write.js";
import { Refusal } from "./errors.js";
import { MALFORMED_EVENT, UNSUPPORTED_EVENT } from "./reasons.js";

/** The content of a triggered event (RIPC-CHAN-1, 2). */
export interface ChannelRequest {
  readonly event: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** How long the sender waits, where the call says it (RIPC-CHAN-17). */
  readonly meta?: { readonly timeout_ms: number };
}

/** The content of a trigger. A timeout of the call's own travels with it, in whole milliseconds. */
export function channelRequest(event: string, params: ChannelRequest["params"], timeoutMs: number | undefined): ChannelRequest {
  if (timeoutMs === undefined) return { event, params };
  return { event, params, meta: { timeout_ms: Math.min(Math.max(1, Math.round(timeoutMs)), Number.MAX_SAFE_INTEGER) } };
}

/** What a request states about how long its sender waits, in ms. An odd value is not an error: it states nothing (RIPC-CHAN-4). */
export function statedTimeoutMs(content: Json): number | undefined {
  const meta = isObject(content) ? own(content, "meta") : undefined;
  const limit = meta !== undefined && isObject(meta) ? own(meta, "timeout_ms") : undefined;
  return typeof limit === "number" || typeof limit === "bigint" ? Number(limit) : undefined;
}

/** The wanted event. Throws a Refusal with the text that the protocol requires (RIPC-CHAN-8, 11 to 13, 16). */
export function readChannelRequest(content: Json, has: (event: string) => boolean): ChannelRequest {
  if (!isObject(content)) {
    throw new Refusal(MALFORMED_EVENT + kindOf(content));
  }
  const event = own(content, "event");
  const params = own(content, "params") ?? {};
  if (typeof event !== "string" || !has(event)) throw new Refusal(UNSUPPORTED_EVENT + nameOf(event));
  if (!isObject(params)) throw new Refusal(`invalid_params: the params of ${event} must be an object, not ${kindOf(params)}`);
  return { event, params };
}

/** A key that was sent, not one of the prototype. */
function own(object: Record<string, Json>, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function isObject(value: Json): value is Record<string, Json> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function nameOf(event: Json | undefined): string {
  if (typeof event === "string") return event;
  return event === undefined ? "" : writeJson(event);
}

function kindOf(value: Json): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
