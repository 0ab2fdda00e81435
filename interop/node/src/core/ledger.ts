import type { Outcome } from "../outcome.js";
import { keyOf, keyOfText } from "../wire/entry.js";

/**
 * queued: not yet written. sending: XADD was sent. waiting: stored. unsure: the connection broke before the reply.
 * looking: the time is over, and the stream is looked at once more.
 */
export type SendState = "queued" | "sending" | "waiting" | "unsure" | "looking" | "finished";

/** One request from the caller's call to its outcome. */
export class Send {
  state: SendState = "queued";
  entryId: string | undefined;
  /** The highest entry ID that was known before XADD was sent: its own is higher (RIPC-TIME-14). */
  floor = "0-0";
  /** XADD is under way, also while looking. */
  underWay = false;
  /** Its request was deleted with the last look (RIPC-TIME-13). */
  deleted = false;
  /** The stream was looked through, and the request is not on it. */
  absent = false;
  /** Why Redis did not take it the last time. */
  refusal: string | undefined;
  /** When it was called for, by its own monotonic clock, in ms. */
  sentAt = -Infinity;
  readonly key: string;
  timer: NodeJS.Timeout | undefined;

  constructor(
    readonly id: string,
    readonly group: string,
    readonly content: string,
    /** By its own monotonic clock, in ms. */
    readonly deadline: number,
    readonly settle: (outcome: Outcome) => void,
  ) {
    this.key = keyOfText(id);
  }

  get finished(): boolean {
    return this.state === "finished";
  }
}

/** The sends without an outcome, by id (RIPC-REQ-1, 4). Each leaves it once, with one outcome (RIPC-REQ-5, 6). */
export class Ledger {
  private readonly sends = new Map<string, Send>();

  get size(): number {
    return this.sends.size;
  }

  add(send: Send): void {
    this.sends.set(send.key, send);
  }

  has(id: Buffer): boolean {
    return this.sends.has(keyOf(id));
  }

  find(id: Buffer): Send | undefined {
    return this.sends.get(keyOf(id));
  }

  all(): Send[] {
    return [...this.sends.values()];
  }

  /** False where it has its outcome already. */
  finish(send: Send, outcome: Outcome): boolean {
    if (!this.sends.delete(send.key)) return false;
    clearTimeout(send.timer);
    send.state = "finished";
    send.settle(outcome);
    return true;
  }
}
