import type { Json } from "./content/json.js";

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
  readonly code = "rejected";

  constructor(
    readonly group: string,
    readonly reason: Json,
  ) {
    super(typeof reason === "string" ? reason : `${group} rejected the request; see the reason`);
  }
}

/** No response came in time. It says nothing about whether the request was, or will be, run (G7 of SPEC.md). */
export class RequestTimeout extends RedisIpcError {
  readonly code = "timeout";

  constructor(
    readonly group: string,
    readonly timeoutMs: number,
  ) {
    super(`${group} did not answer within ${timeoutMs} ms`);
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

/** The group does not exist, so that nobody is given the request, which was deleted (RIPC-REQ-16). */
export class NoResponders extends RedisIpcError {
  readonly code = "no-responders";

  constructor(readonly group: string) {
    super(`there is no group ${group} on this stream: nobody ever connected to it, or it was destroyed`);
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

/** To be thrown by a handler: rejects the request with any JSON value as its reason. It is no failure, and not reported. */
export class Rejection extends RedisIpcError {
  readonly code = "rejection";

  constructor(readonly reason: Json) {
    super(typeof reason === "string" ? reason : "the request is rejected; see the reason");
  }
}
