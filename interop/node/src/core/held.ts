import type { Context } from "../context.js";
import type { Request, Status } from "../wire/entry.js";

/**
 * queued: read, not started. checking: it is looked at before it starts. running: the handler has it. answering: its answer
 * is to be written. unsure: the connection broke before the reply to the answer. gone: answered, given back, deleted, or
 * another member's.
 */
export type HeldState = "queued" | "checking" | "running" | "answering" | "unsure" | "gone";

export interface Answer {
  readonly status: Status;
  readonly content: string;
  /** The handler failed, which is counted. */
  readonly failed?: boolean;
}

/** A request that this instance got, until it is settled or belongs to another member. */
export class Held {
  state: HeldState = "queued";
  answer: Answer | undefined;
  /** When its answer was given, by its own monotonic clock, in ms: from then on Redis may refuse it for a bounded time. */
  answeredAt = 0;
  /** How often the write of its answer broke the connection, or was refused by an unknown error (RIPC-RESP-25). */
  attempts = 0;
  /** Its answer could not be written, and its rejection is written in its place. */
  replaced = false;
  /** The request is gone, and nothing of it is pending: its answer is still written. */
  stranded = false;
  /** The endpoint closed before the handler ended, and the request was rejected (RIPC-LIFE-26). */
  closed = false;
  /** When it began to wait here, or was last checked, in the same unit (RIPC-RESP-13). */
  waitsSince: number;
  /** When it came here, in the same unit. */
  readonly cameAt: number;
  /** Tells the handler that its answer is no longer needed (RIPC-RESP-19). */
  readonly abort = new AbortController();
  /** Where its handler runs, and the listeners of its signal. */
  context: Context = (code) => code();

  /** When its request was stored, likewise. */
  storedAt = 0;
  /**
   * For how many ms its requester still waits, of those that it says, or else announces; undefined where that is not known. Negative: it has
   * given up.
   */
  timeLeftMs: (statedMs: number | undefined) => number | undefined = () => undefined;

  constructor(
    readonly request: Request,
    /** This start included. */
    readonly starts: number,
    /** The last delivery or claim of it, at the earliest, in the same unit. */
    public keptAt: number,
  ) {
    this.waitsSince = this.cameAt = keptAt;
  }

  /** Its answer is no longer needed: the handler learns why. */
  tellAborted(why: string): void {
    this.context(() => {
      this.abort.abort(new Error(why));
    });
  }

  get entryId(): string {
    return this.request.entryId;
  }
}
