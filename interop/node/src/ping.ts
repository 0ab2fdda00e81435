import { setTimeout as sleep } from "node:timers/promises";

import type { Endpoint } from "./core/endpoint.js";
import type { Peer } from "./core/peers.js";
import { RequestCancelled, RequestFailed, RequestTimeout } from "./errors.js";
import { checkTime } from "./given.js";
import { type RedisFault, isFault } from "./wire/faults.js";

export interface PingOptions {
  /** How long Redis may take, in ms. Default: `timeoutMs` of the endpoint. */
  readonly timeoutMs?: number;
}

/** Between two looks for a group that is waited for, in ms. */
const POLL_MS = 200;

/** The living instances of a group. */
export async function ping(endpoint: Endpoint, group: string, timeoutMs: number): Promise<Peer[]> {
  const peers = await look(endpoint, group, timeoutMs);
  if (peers !== undefined) return peers;
  throw away(endpoint, group, timeoutMs);
}

/** Looks until there is one. */
export async function waitForGroup(endpoint: Endpoint, group: string, timeoutMs: number, signal: AbortSignal | undefined): Promise<Peer[]> {
  checkTime("timeoutMs", timeoutMs);
  const end = performance.now() + timeoutMs;
  for (;;) {
    if (signal?.aborted === true) throw new RequestCancelled(`the wait for the group ${group} was cancelled`, { cause: signal.reason });
    const peers = await look(endpoint, group, Math.max(POLL_MS, end - performance.now()));
    if (peers !== undefined && peers.length > 0) return peers;
    if (performance.now() + POLL_MS >= end) {
      // Without Redis nobody knows who is there.
      if (peers === undefined) throw away(endpoint, group, timeoutMs);
      break;
    }
    await sleep(POLL_MS, undefined, signal && { signal }).catch(() => undefined);
  }
  const text = `group ${group} has no living instance: start its program; it must use the same Redis, database and stream`;
  throw new RequestTimeout(group, timeoutMs, "", { diagnosis: "no_live_instance", text });
}

function away(endpoint: Endpoint, group: string, timeoutMs: number): RequestTimeout {
  const { reason } = endpoint.lifecycle;
  return new RequestTimeout(group, timeoutMs, "", { diagnosis: "redis_away", text: `no working connection to Redis${reason === "" ? "" : `: ${reason}`}` });
}

async function look(endpoint: Endpoint, group: string, timeoutMs: number): Promise<Peer[] | undefined> {
  try {
    return await endpoint.peers(group, timeoutMs);
  } catch (error) {
    if (!isFault(error)) throw error;
    throw refused(group, error);
  }
}

function refused(group: string, fault: RedisFault): RequestFailed {
  return new RequestFailed(`Redis refused to show who is in the group ${group}: ${fault.message}`, { cause: fault });
}
