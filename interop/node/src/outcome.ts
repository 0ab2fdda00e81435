import { decodeContent } from "./content/content.js";
import type { Json } from "./content/json.js";
import type { Outcome } from "./core/ledger.js";
import { RequestCancelled, RequestRefused, RequestRejected, RequestTimeout } from "./errors.js";

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
      throw new RequestRefused(`the request to ${group} was not stored: ${outcome.cause.message}`, { cause: outcome.cause });
  }
}
