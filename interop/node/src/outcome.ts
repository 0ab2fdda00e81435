import { decodeContent } from "./content/content.js";
import type { Json } from "./content/json.js";
import { NoResponders, RequestCancelled, RequestFailed, RequestRejected, RequestTimeout } from "./errors.js";

/** How a send ended (SPEC.md, section 1). `failed`: the message says why, and what became of the request. */
export type Outcome =
  | { readonly status: "fulfilled" | "rejected"; readonly content: Buffer }
  | { readonly status: "timeout" | "cancelled" | "no-responders" }
  | { readonly status: "failed"; readonly message: string; readonly cause?: Error | undefined };

/** What a call to send() ends with: the value, or the error that says why there is none. */
export function valueOf(outcome: Outcome, group: string, timeoutMs: number, signal: AbortSignal | undefined): Json {
  switch (outcome.status) {
    case "fulfilled":
      return decodeContent(outcome.content);
    case "rejected":
      throw new RequestRejected(group, decodeContent(outcome.content));
    case "timeout":
      throw new RequestTimeout(group, timeoutMs);
    case "cancelled":
      throw signal?.aborted === true
        ? new RequestCancelled(`the request to ${group} was cancelled`, { cause: signal.reason })
        : new RequestCancelled(`the endpoint was closed before ${group} answered`);
    case "failed":
      throw new RequestFailed(`the request to ${group} failed: ${outcome.message}`, { cause: outcome.cause });
    case "no-responders":
      throw new NoResponders(group);
  }
}
