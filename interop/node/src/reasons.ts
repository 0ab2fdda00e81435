/** Reasons of rejections: the registered words, how an endpoint writes one, and how a requester reads it. */
import type { Json } from "./json.js";

const CODES = [
  "overloaded", "no_handler", "too_old", "given_up", "closing", "handler_failed", "not_encodable", "invalid_params", "unsupported_event",
] as const;

/** Why an endpoint rejects by itself: the registered words of SPEC.md, section 19. */
export type ReasonCode = (typeof CODES)[number];

/** The gem's texts in place of a word (RIPC-CHAN-11, 12). */
export const UNSUPPORTED_EVENT = "Unsupported event. Given ";
export const MALFORMED_EVENT = "Malformed event data. Expected Hash, got ";

/** How a reason begins, and its code. */
const BEGINNINGS: readonly (readonly [begin: string, code: ReasonCode])[] = [
  ...CODES.filter((code) => code !== "unsupported_event").map((code) => [`${code}: `, code] as const),
  [UNSUPPORTED_EVENT, "unsupported_event"],
  [MALFORMED_EVENT, "invalid_params"],
];

/**
 * What a requester sees of a failure: its type and the id of the request, its text as well, or none of both. The text may hold
 * secrets; a problem always has all.
 */
export type ExposeErrors = "type" | "text" | "none";

/** The longest text that is sent of one that the user did not write, such as that of a failure, in UTF-16 units. */
export const LONGEST_REASON = 1000;

/** What a requester's program finds in a reason (RIPC-RESP-22, 23). Undefined: it is not there. */
export interface ReadReason {
  readonly code?: string;
  readonly message?: string;
  readonly data?: Json;
}

export function readReason(reason: Json): ReadReason {
  if (typeof reason === "string") {
    const code = BEGINNINGS.find(([begin]) => reason.startsWith(begin))?.[1];
    return { ...(code === undefined ? {} : { code }), message: reason };
  }
  const error = own(reason, "error");
  const code = own(error, "code");
  if (typeof code !== "string" || code === "") return {};
  const message = own(error, "message");
  const data = own(error, "data");
  return { code, ...(typeof message === "string" ? { message } : {}), ...(data === undefined || data === null ? {} : { data }) };
}

/** The reason of a rejection with a code of the program (RIPC-RESP-23). */
export function codedReason(code: string, message: string, data: Json | undefined): Json {
  return { error: { code, message, data: data ?? null } };
}

/** The part of a text that fits, without half of a pair at its end. */
export function shortened(text: string, most = LONGEST_REASON): string {
  if (text.length <= most) return text;
  const end = most - (/[\ud800-\udbff]/.test(text.charAt(most - 1)) ? 1 : 0);
  return `${text.slice(0, end)}… (${text.length} characters)`;
}

function own(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Lets one report of a kind pass in a second, and counts the others. Kinds are few words. */
export class EachSecond {
  private readonly held = new Map<string, { at: number; count: number }>();

  /** How many were held back since the last one that passed. Undefined: this one is held back, too. `now`: a monotonic clock, in ms. */
  take(kind: string, now: number): number | undefined {
    const last = this.held.get(kind);
    if (last !== undefined && now - last.at < 1000) {
      last.count++;
      return undefined;
    }
    this.held.set(kind, { at: now, count: 0 });
    return last?.count ?? 0;
  }
}
