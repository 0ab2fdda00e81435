import { readJson } from "../content/json-read.js";
import type { Json } from "../json.js";
import type { Reply } from "../wire/replies.js";
import { VERSION } from "../version.js";

const MAJOR = "1";
/** Bytes that are not UTF-8 raise an error. A byte order mark stays a character, and a JSON text does not begin with one. */
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What an instance announces about itself (RIPC-VERS-1, 5, 7, 8). */
export function announcementText(self: { wakeup: boolean; responder: boolean; timeoutMs: number }): string {
  return JSON.stringify({
    spec: "1.0",
    implementation: "redisipc-node",
    version: VERSION,
    language: "javascript",
    features: self.wakeup ? ["wakeup"] : [],
    roles: self.responder ? ["requester", "responder"] : ["requester"],
    timeout_ms: Math.max(1, Math.round(self.timeoutMs)),
  });
}

/** What others learn of an instance from its announcement. */
export interface Announced {
  readonly wakeup: boolean;
  /** Whether it may run handlers. If it does not say, it may (RIPC-VERS-6, 7). */
  readonly responder: boolean;
}

/** A value that is not an announcement, or one of another major version, says nothing (RIPC-VERS-4, 10). */
export function announcedBy(announcement: Reply): Announced {
  const said = objectOf(announcement);
  return {
    wakeup: listOf(said.features).includes("wakeup"),
    responder: !Object.hasOwn(said, "roles") || listOf(said.roles).includes("responder"),
  };
}

/** What an instance says about its implementation. Undefined if it announces nothing. */
export function announcedText(announcement: Reply): { implementation?: string; version?: string; language?: string } | undefined {
  const said = objectOf(announcement);
  if (Object.keys(said).length === 0) return undefined;
  const texts = ["implementation", "version", "language"].flatMap((key) => (typeof said[key] === "string" ? [[key, said[key]] as const] : []));
  return Object.fromEntries(texts);
}

/** The default timeout of its plain requests, in ms, if it announces one (RIPC-VERS-8). */
export function announcedTimeoutMs(announcement: Reply): number | undefined {
  const { timeout_ms: limit } = objectOf(announcement);
  return typeof limit === "number" && Number.isSafeInteger(limit) && limit >= 1 ? limit : undefined;
}

function objectOf(announcement: Reply): Record<string, Json> {
  if (!Buffer.isBuffer(announcement)) return {};
  try {
    const value = readJson(strict.decode(announcement));
    if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
    return typeof value.spec === "string" && value.spec.split(".")[0] === MAJOR ? value : {};
  } catch {
    return {};
  }
}

function listOf(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}
