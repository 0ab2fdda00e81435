import type { Json } from "./json.js";
import { codedReason, readReason, shortened } from "./reasons.js";

/** Of a reason a message shows no more, in UTF-16 units. */
const LONGEST_SHOWN = 500;

/** All errors of this package. `code` is for programs, `message` for people. */
export abstract class RedisIpcError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** An option, a name or a timeout that cannot be: nothing was written. */
export class InvalidArgument extends RedisIpcError {
  readonly code = "invalid-argument";
}

/** A value that JSON cannot say, or that is too deep: nothing was written (RIPC-CONTENT-7, 8). */
export class UnsendableValue extends RedisIpcError {
  readonly code = "unsendable-value";
}

/** The other side answered `rejected`; `reason` is what it gave (RIPC-REQ-7). */
export class RequestRejected extends RedisIpcError {
  readonly code: "rejected" | "handler-failed" = "rejected";
  /** For programs: the code of the other side's Rejection, or the word with which an endpoint rejects by itself (`ReasonCode`). */
  readonly reasonCode: string | undefined;
  /** What the other side's Rejection had beside its code. */
  readonly data: Json | undefined;

  constructor(
    readonly group: string,
    readonly reason: Json,
    readonly requestId: string,
  ) {
    const { code, message, data } = readReason(reason);
    const said = message === undefined ? "see the reason" : shortened(message, LONGEST_SHOWN);
    super(`${group} rejected request ${requestId}: ${said}${typeof reason === "string" || code === undefined ? "" : ` (${code})`}`);
    this.reasonCode = code;
    this.data = data;
  }
}

/** The handler of the other side failed: a crash, and no refusal. `reason` says what its option `exposeErrors` allows. */
export class HandlerFailed extends RequestRejected {
  override readonly code = "handler-failed";
}

/** What Redis shows of a request without an answer. */
export type Diagnosis = "no_such_group" | "no_live_instance" | "not_read" | "held" | "not_held" | "redis_away";

/** A diagnosis, undefined where Redis does not show why, and its text for people, which may be empty. */
export interface Finding {
  readonly diagnosis?: Diagnosis;
  readonly text: string;
}

/** No response came in time. It says nothing about whether the request was, or will be, run (G7 of SPEC.md). */
export class RequestTimeout extends RedisIpcError {
  readonly code: "timeout" | "no-responders" = "timeout";
  /** Why, as far as Redis shows it; the message says it for people. */
  readonly diagnosis: Diagnosis | undefined;

  constructor(
    readonly group: string,
    readonly timeoutMs: number,
    readonly requestId: string,
    { diagnosis, text }: Finding = { text: "" },
  ) {
    super(messageOf(`${group} did not answer within ${timeoutMs} ms`, text, requestId));
    this.diagnosis = diagnosis;
  }
}

/** The send was given up: by its AbortSignal, whose reason is the cause, or since the endpoint closed. */
export class RequestCancelled extends RedisIpcError {
  readonly code = "cancelled";
}

/**
 * The request was not written, or it is not known whether it was; the message says which. For a Stream: Redis refused it for
 * good (NOPERM, WRONGTYPE), and the cause is its error.
 */
export class RequestFailed extends RedisIpcError {
  readonly code = "failed";
}

/** It ended before its timeout: the group does not exist, so that nobody is given the request, which was deleted (RIPC-REQ-16). */
export class NoResponders extends RequestTimeout {
  override readonly code = "no-responders";

  constructor(group: string, timeoutMs: number, requestId: string, text: string) {
    super(group, timeoutMs, requestId, { diagnosis: "no_such_group", text });
    this.message = messageOf(`nobody can answer for ${group}`, text, requestId);
  }
}

/** As many requests are outstanding as `maxOutstanding` allows: nothing was written. */
export class TooManyOutstanding extends RedisIpcError {
  readonly code = "too-many-outstanding";
}

/** Redis could not be reached, or refused, within `connectTimeoutMs`; the cause says why. */
export class ConnectFailed extends RedisIpcError {
  readonly code = "connect-failed";
}

/** The endpoint is closing or closed: nothing was written (RIPC-REQ-15). */
export class EndpointClosed extends RedisIpcError {
  readonly code = "closed";

  constructor() {
    super("the endpoint is closed: connect a new one");
  }
}

/** The request has been answered before: an answer counts once (RIPC-RESP-3). */
export class AlreadyAnswered extends RedisIpcError {
  readonly code = "already-answered";

  constructor() {
    super("the request has been answered: a handler answers once");
  }
}

/** What a Rejection may say to programs. */
export interface RejectionOptions {
  /** A word: the requester finds it in `RequestRejected.reasonCode`. The reason is then the message, a text. */
  readonly code: string;
  /** Any JSON value, which the requester finds in `RequestRejected.data`. */
  readonly data?: Json;
}

/**
 * To be thrown by a handler: rejects the request with any JSON value as its reason, or with a message and a code (RIPC-RESP-23).
 * It is not a failure, and not reported. Throws InvalidArgument for a blank code, and for a code beside a reason that is not text.
 */
export class Rejection extends RedisIpcError {
  readonly code = "rejection";
  readonly reason: Json;

  constructor(reason: Json, options?: RejectionOptions) {
    super(typeof reason === "string" ? reason : "the request is rejected; see the reason");
    this.reason = options === undefined ? reason : coded(reason, options);
  }
}

/** An endpoint rejects by itself: `reason` begins with the registered word, or with the text of the gem that stands for it. */
export class Refusal extends Rejection {}

function coded(reason: unknown, { code, data }: RejectionOptions): Json {
  if (typeof code !== "string" || code.trim() === "") throw new InvalidArgument(`the code of a Rejection must be a word, not ${JSON.stringify(code)}`);
  if (typeof reason !== "string") {
    throw new InvalidArgument(`with a code, the reason of a Rejection is its message, a string, not ${typeof reason}: put values into data`);
  }
  return codedReason(code, reason, data);
}

function messageOf(what: string, text: string, requestId: string): string {
  if (requestId === "") return text === "" ? what : `${what}: ${text}`;
  // A text of Redis may end in a full stop.
  const clause = text.replace(/(?<!\.)\.\s*$/, "");
  return `${what}${clause === "" ? "" : `: ${clause}`}; request ${requestId}`;
}
