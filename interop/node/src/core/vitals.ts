/** The state of an endpoint: its counts, and whether it can work. */
import type { Health } from "../lifecycle.js";
import type { SharedWith } from "./ports.js";

/** Numbers of one endpoint, from its connect on. */
export interface Stats {
  /** Own sends without an outcome, now. */
  readonly outstanding: number;
  /** Handlers that run, now. */
  readonly running: number;
  /** Requests that no handler has started yet, now. */
  readonly waiting: number;
  /** Since the oldest request in progress came, or the oldest handler was started, in ms. */
  readonly oldestMs: number;
  /** Connections to Redis, now. */
  readonly connections: number;
  /** Answers that were written, counted. */
  readonly fulfilled: number;
  readonly rejected: number;
  /** Handlers that failed, counted. */
  readonly failed: number;
  /** Own sends without an answer in time, counted; those that ended early as well. */
  readonly timeouts: number;
  readonly reconnects: number;
}

export function statsOf({ requester, responder, wakeups, session, counts, now }: SharedWith<"requester" | "responder" | "wakeups">): Stats {
  const came = [...responder.all().map((held) => held.cameAt), ...responder.since];
  return {
    outstanding: requester.ledger.size,
    running: responder.running,
    waiting: responder.waiting,
    oldestMs: came.length === 0 ? 0 : Math.max(0, now() - Math.min(...came)),
    connections: (session === undefined ? 0 : 2) + (wakeups.listening ? 1 : 0),
    ...counts,
  };
}

export function healthOf(shared: SharedWith<"requester" | "responder" | "wakeups">): Health {
  const { state, since, reason } = shared.lifecycle;
  const why = state === "up" ? busyReason(shared) : "";
  if (why !== "") return { state: "busy", since, reason: why, ok: false };
  return { state, since, reason, ok: state === "up" };
}

/** Why nothing starts; empty while handlers end. */
function busyReason({ responder, options, now }: SharedWith<"requester" | "responder" | "wakeups">): string {
  if (responder.running < options.concurrency) return "";
  // Their requesters may have given up meanwhile: then Redis has nothing of these requests any more.
  const since = responder.since;
  const least = now() - Math.max(...since);
  if (since.length === 0 || least <= options.timeoutMs) return "";
  return (
    `all ${options.concurrency} handlers are busy, each for ${Math.round(least / 1000)} s or longer; ` +
    `${responder.waiting} wait: make handlers quicker, raise concurrency, or start more instances`
  );
}

/** Between two reports that all handlers are busy, in ms. */
const REPORT_EVERY_MS = 60_000;

/** Reports that all handlers are busy and none ends: requesters give up, and the operator must learn it. */
export class Busy {
  private toldAt = -Infinity;

  constructor(private readonly shared: SharedWith<"requester" | "responder" | "wakeups">) {}

  look(): void {
    const { shared } = this;
    if (shared.now() - this.toldAt < REPORT_EVERY_MS) return;
    const reason = busyReason(shared);
    if (reason === "") return;
    this.toldAt = shared.now();
    shared.reporter.problem({ kind: "busy", message: reason });
  }
}
