import { decodeContent } from "./content/content.js";
import type { Json } from "./json.js";
import { type Finding, HandlerFailed, NoResponders, RequestCancelled, RequestFailed, RequestRejected, RequestTimeout } from "./errors.js";
import { readReason } from "./reasons.js";

/** How a send ended (SPEC.md, section 1). `failed`: the message says why, and what became of the request. */
export type Outcome =
  | { readonly status: "fulfilled" | "rejected"; readonly content: Buffer }
  | { readonly status: "timeout" | "no-responders"; readonly finding?: Finding }
  | { readonly status: "cancelled" }
  | { readonly status: "failed"; readonly message: string; readonly cause?: Error | undefined };

/** Of whose outcome it is. */
export interface Asked {
  readonly group: string;
  readonly requestId: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** The end of a call to send(): the value, or the error that says why there is none. */
export function valueOf(outcome: Outcome, { group, requestId, timeoutMs, signal }: Asked): Json {
  switch (outcome.status) {
    case "fulfilled":
      return decodeContent(outcome.content);
    case "rejected": {
      const reason = decodeContent(outcome.content);
      const failed = typeof reason === "string" && readReason(reason).code === "handler_failed";
      throw new (failed ? HandlerFailed : RequestRejected)(group, reason, requestId);
    }
    case "timeout":
      throw new RequestTimeout(group, timeoutMs, requestId, outcome.finding);
    case "cancelled":
      throw signal?.aborted === true
        ? new RequestCancelled(`the request to ${group} was cancelled`, { cause: signal.reason })
        : new RequestCancelled(`the endpoint was closed before ${group} answered`);
    case "failed":
      throw new RequestFailed(`the request to ${group} failed: ${outcome.message}`, { cause: outcome.cause });
    case "no-responders":
      throw new NoResponders(group, timeoutMs, requestId, outcome.finding?.text ?? `there is no group ${group} on this stream`);
  }
}
