import { decodeContent, encodeContent } from "./content/content.js";
import type { Answer, Held } from "./core/held.js";
import type { Serve } from "./core/responder.js";
import { AlreadyAnswered, EndpointClosed, Rejection } from "./errors.js";
import type { Reporter } from "./events.js";
import { type IncomingRequest, NO_ANSWER } from "./request.js";

/** How a reason begins that says no more than that the handler failed (RIPC-RESP-22). */
const FAILED = "handler_failed: ";
/** Of the text of a failure no more travels, in UTF-16 units. */
export const LONGEST_REASON = 1000;

/** Turns a handler of the user into what the responder runs: whatever it does, there is a result (RIPC-RESP-7, 8, 9). */
export function serveWith(handler: (request: IncomingRequest) => unknown, reporter: () => Reporter): Serve {
  return async (held, answer) => {
    const once = new AnswerOnce(held, answer);
    try {
      const value = await handler(incoming(held, once));
      if (value === NO_ANSWER || once.given) return undefined;
      return fulfilled(value === undefined ? null : value);
    } catch (error) {
      return failed(error, held, reporter());
    } finally {
      once.given = true; // an answer that comes after the end is one too many
    }
  };
}

/** What comes of anything that a handler threw: also of what cannot be looked at. */
function failed(error: unknown, held: Held, reporter: Reporter): Answer | undefined {
  let reason = `${FAILED}what was thrown cannot be read`;
  try {
    const rejected = error instanceof Rejection ? encoded(error.reason) : undefined;
    if (rejected !== undefined) return { status: "rejected", content: rejected };
    // It did as it was told: that is no failure.
    if (held.abort.signal.aborted && isAbort(error, held.abort.signal)) return undefined;
    reason = encoded(reasonOf(error)) ?? `${FAILED}its text is not valid Unicode`;
  } catch {
    // A getter or a trap of it throws: it is answered and reported like any failure.
  }
  const message = `the handler failed for the request ${held.entryId}`;
  reporter.problem({ kind: "handler", message, entryId: held.entryId, cause: error });
  return { status: "rejected", content: reason };
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

function incoming({ request, starts, abort }: Held, once: AnswerOnce): IncomingRequest {
  return {
    id: request.id.toString("utf8"),
    source: request.source.toString("utf8"),
    instance: request.instance.toString("utf8"),
    content: decodeContent(request.content),
    redelivered: starts > 1,
    starts,
    signal: abort.signal,
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

/** The text of a failure; its kind where there is none (RIPC-RESP-8, 22). It has a bound: texts of failures may be as long as content. */
export function reasonOf(error: unknown): string {
  const text = textOf(error);
  if (text === "") return `${FAILED}${kindOf(error)}`;
  if (text.length <= LONGEST_REASON) return text;
  const end = LONGEST_REASON - (/[\ud800-\udbff]/.test(text.charAt(LONGEST_REASON - 1)) ? 1 : 0); // no half of a pair
  return `${text.slice(0, end)}…`;
}

function textOf(error: unknown): string {
  const text: unknown = error instanceof Error ? error.message : error;
  return typeof text === "string" ? text : "";
}

function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return `a value of the type ${typeof error} was thrown`;
  return typeof error.name === "string" && error.name !== "" ? error.name : "an error without a name";
}

function encoded(value: unknown): string | undefined {
  try {
    return encodeContent(value);
  } catch {
    return undefined;
  }
}
