import type { Json } from "./content/json.js";
import { writeJson } from "./content/json-write.js";
import { Refusal } from "./errors.js";
import { MALFORMED_EVENT, UNSUPPORTED_EVENT } from "./reasons.js";

/** The content of a triggered event (RIPC-CHAN-1, 2). */
export interface ChannelRequest {
  readonly event: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** What is wanted. Throws a Refusal, with the words that the protocol asks for (RIPC-CHAN-8, 11 to 13, 16). */
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

/** A key that was sent, and none of the prototype. */
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
