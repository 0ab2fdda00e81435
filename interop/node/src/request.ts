import type { Json } from "./json.js";

/** A request as its handler sees it. */
export interface IncomingRequest {
  /** The field `id`; the key by which a handler with effects can be idempotent (G7 of SPEC.md). */
  readonly id: string;
  /** The group that asks. */
  readonly source: string;
  /** The instance that asks. */
  readonly instance: string;
  readonly content: Json;
  /** Whether the request may have been started before, by a member that died or was cut off (RIPC-GROUP-21). */
  readonly redelivered: boolean;
  /** This start included: 1 to 3. */
  readonly starts: number;
  /**
   * For how many ms its requester still waits; undefined where that is not known, negative where its time is over. A trigger with a timeout of its own states it. Of
   * any other request it is what is left of the default that its instance announces: the first look at a request of an instance asks for that, and later ones know it.
   */
  readonly timeLeftMs: number | undefined;
  /** Aborted when its answer is no longer needed: the requester gave up, or another member has taken the request over. */
  readonly signal: AbortSignal;
  /**
   * Answers now, before the handler ends; what it returns then does not matter. Throws UnsendableValue, after which the
   * request is not answered yet, and AlreadyAnswered.
   */
  readonly fulfill: (value: unknown) => void;
  /** Likewise, with any JSON value as the reason. */
  readonly reject: (reason: unknown) => void;
}

/** To be returned by a handler: there will be no answer. The request is settled, and its requester times out (RIPC-RESP-11). */
export const NO_ANSWER: unique symbol = Symbol("redisipc: no answer");
