import { registeredHere } from "./context.js";
import { decodeContent, encodeContent } from "./content/content.js";
import type { Answer, Held } from "./core/held.js";
import type { Serve } from "./core/responder.js";
import { statedTimeoutMs } from "./channel-request.js";
import { AlreadyAnswered, EndpointClosed, Refusal, Rejection } from "./errors.js";
import type { Reporter } from "./events.js";
import { type ExposeErrors, type ReasonCode, readReason, shortened } from "./reasons.js";
import { type IncomingRequest, NO_ANSWER } from "./request.js";

/** The longest name of an error that is sent, in UTF-16 units. */
const LONGEST_KIND = 100;
/** How the reason of a handler that failed begins (RIPC-RESP-22). */
const FAILED = "handler_failed: ";

/**
 * Makes the function that the responder runs from a handler of the user. It always has a result (RIPC-RESP-7, 8, 9). The handler
 * sees the context in which this is called, not that of whoever caused the read, and what it enters there no other request sees.
 */
export function serveWith(handler: (request: IncomingRequest) => unknown, reporter: () => Reporter, expose: ExposeErrors = "type"): Serve {
  const contextOfCall = registeredHere();
  return async (held, answer) => {
    const once = new AnswerOnce(held, answer);
    const context = contextOfCall();
    held.context = context;
    try {
      const value = await context(() => handler(incoming(held, once)));
      if (value === NO_ANSWER || once.given) return undefined;
      return fulfilled(value === undefined ? null : value);
    } catch (error) {
      return failed(error, held, reporter(), expose);
    } finally {
      once.given = true; // an answer that comes after the end is one too many
    }
  };
}

/** The result for anything that a handler threw, also for values that cannot be examined. */
function failed(error: unknown, held: Held, reporter: Reporter, expose: ExposeErrors): Answer | undefined {
  const id = held.request.id.toString("utf8");
  let reason = `${FAILED}what was thrown cannot be read; request ${id}`;
  try {
    const rejected = error instanceof Rejection ? encoded(error.reason) : undefined;
    if (rejected !== undefined) {
      const { reason } = error as Rejection;
      if (error instanceof Refusal) reporter.refusal(readReason(reason).code as ReasonCode, held, reason);
      return { status: "rejected", content: rejected };
    }
    // It obeyed the signal, which is not a failure.
    if (held.abort.signal.aborted && isAbort(error, held.abort.signal)) return undefined;
    reason = encoded(reasonOf(error, expose, id)) ?? `${FAILED}its text is not valid Unicode`;
  } catch {
    // A getter or a trap of it throws: it is answered and reported like any failure.
  }
  const message = `the handler failed for the request ${held.entryId}`;
  reporter.problem({ kind: "handler", message, entryId: held.entryId, cause: error });
  return { status: "rejected", content: reason, failed: true };
}

/** Refuses the second answer (RIPC-RESP-3). */
class AnswerOnce {
  given = false;

  constructor(
    private readonly held: Held,
    private readonly answer: (answer: Answer) => void,
  ) {}

  give(status: Answer["status"], value: unknown): void {
    if (this.held.closed) throw new EndpointClosed();
    if (this.given) throw new AlreadyAnswered();
    const content = encodeContent(value);
    this.given = true;
    this.answer({ status, content });
  }
}

function incoming(held: Held, once: AnswerOnce): IncomingRequest {
  const { request, starts, abort } = held;
  const content = decodeContent(request.content);
  return {
    id: request.id.toString("utf8"),
    source: request.source.toString("utf8"),
    instance: request.instance.toString("utf8"),
    content,
    redelivered: starts > 1,
    starts,
    signal: abort.signal,
    get timeLeftMs() {
      return held.timeLeftMs(statedTimeoutMs(content));
    },
    fulfill(value) {
      once.give("fulfilled", value);
    },
    reject(reason) {
      once.give("rejected", reason);
    },
  };
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && (error.name === "AbortError" || error.cause === signal.reason));
}

/** An answer that JSON cannot say is a failure of its own kind (RIPC-RESP-7). */
class NotEncodable extends Error {}

function fulfilled(value: unknown): Answer {
  try {
    return { status: "fulfilled", content: encodeContent(value) };
  } catch (error) {
    throw new NotEncodable(`not_encodable: ${textOf(error) || "the answer could not be encoded"}`, { cause: error });
  }
}

/** The reason for a failure. It has a bound: texts of failures may be as long as content (RIPC-RESP-8, 22, 24). */
function reasonOf(error: unknown, expose: ExposeErrors, requestId: string): string {
  if (error instanceof NotEncodable) return shortened(error.message);
  if (expose === "none") return `${FAILED}request ${requestId}`;
  const kind = kindOf(error);
  const text = textOf(error).trim();
  if (expose === "type") return `${FAILED}${kind}; request ${requestId}`;
  return `${FAILED}${text === "" ? kind : `${kind}: ${shortened(text)}`}`;
}

function textOf(error: unknown): string {
  const text: unknown = error instanceof Error ? error.message : error;
  return typeof text === "string" ? text : "";
}

function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return `a value of the type ${typeof error} was thrown`;
  return typeof error.name === "string" && error.name !== "" ? shortened(error.name, LONGEST_KIND) : "an error without a name";
}

function encoded(value: unknown): string | undefined {
  try {
    return encodeContent(value);
  } catch {
    return undefined;
  }
}
