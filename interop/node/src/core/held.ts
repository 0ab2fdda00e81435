import type { Request, Status } from "../wire/entry.js";

/**
 * queued: read, not started. checking: it waited, so it is looked for before it starts. running: the handler has it.
 * answering: its answer is to be written. unsure: the connection broke before the reply to the answer. leaving: it is
 * being given back. gone: answered, given back, deleted, or another member's.
 */
export type HeldState = "queued" | "checking" | "running" | "answering" | "unsure" | "leaving" | "gone";

export interface Answer {
  readonly status: Status;
  readonly content: string;
}

/** A request that this instance was given, until it is settled or somebody else's. */
export class Held {
  state: HeldState = "queued";
  answer: Answer | undefined;
  /** When its answer was refused first, by the own monotonic clock, in ms. */
  refusedSince: number | undefined;
  /** It is in the pending list; false after the group was made anew, which made the list empty. */
  pinned = true;
  /** Tells the handler that nobody waits any more (RIPC-RESP-19). */
  readonly abort = new AbortController();

  constructor(
    readonly request: Request,
    /** This start included. */
    readonly starts: number,
    /** By the own monotonic clock, in ms. */
    readonly receivedAt: number,
    /** The last sign of life that we gave for it, likewise. */
    public keptAt: number,
  ) {}

  get entryId(): string {
    return this.request.entryId;
  }
}
