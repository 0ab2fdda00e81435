import { decodeContent, encodeContent } from "./content/content.js";
import type { Answer, Held } from "./core/held.js";
import type { Serve } from "./core/responder.js";
import { AlreadyAnswered, EndpointClosed, Rejection } from "./errors.js";
import type { Reporter } from "./events.js";
import { type IncomingRequest, NO_ANSWER } from "./request.js";

/** Turns a handler of the user into what the responder runs: whatever it does, there is a result (RIPC-RESP-7, 8, 9). */
export function serveWith(handler: (request: IncomingRequest) => unknown, reporter: () => Reporter): Serve {
  return async (held, answer) => {
    const once = new AnswerOnce(held, answer);
    try {
      const value = await handler(incoming(held, once));
      if (value === NO_ANSWER || once.given) return undefined;
      return { status: "fulfilled", content: encodeContent(value === undefined ? null : value) };
    } catch (error) {
      const rejected = error instanceof Rejection ? encoded(error.reason) : undefined;
      if (rejected !== undefined) return { status: "rejected", content: rejected };
      // It did as it was told: that is no failure.
      if (held.abort.signal.aborted && isAbort(error, held.abort.signal)) return undefined;
      reporter().problem({
        kind: "handler",
        message: `the handler failed for the request ${held.entryId}`,
        entryId: held.entryId,
        cause: error,
      });
      return { status: "rejected", content: encoded(reasonOf(error)) ?? "the handler failed" };
    } finally {
      once.given = true; // an answer that comes after the end is one too many
    }
  };
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

/** The text of a failure; its kind where there is none (RIPC-RESP-8). */
function reasonOf(error: unknown): string {
  try {
    if (error instanceof Error) return error.message === "" ? error.name : error.message;
    const text = typeof error === "string" ? error : "";
    return text === "" ? `the handler threw a value of the type ${typeof error}` : text;
  } catch {
    return "the handler threw a value that cannot be read"; // a getter of it throws
  }
}

function encoded(value: unknown): string | undefined {
  try {
    return encodeContent(value);
  } catch {
    return undefined;
  }
}
