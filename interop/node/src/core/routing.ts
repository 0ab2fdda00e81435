import type { Entry } from "../wire/entry.js";

/** The action for an entry (the table of SPEC.md section 7). */
export type Action =
  | "acknowledge"
  | "run"
  | "deliver"
  | "settle"
  | "hand-over"
  | "report-and-settle"
  | "report-and-acknowledge";

export interface Self {
  readonly group: Buffer;
  readonly instance: Buffer;
  /** Whether a request with this id is in the ledger. */
  waitsFor(id: Buffer): boolean;
}

/** RIPC-ROUTE-1 to 12. Bytes are compared as they are (RIPC-NAME-3). */
export function actionFor(entry: Entry, self: Self): Action {
  if (entry.kind === "bodyless") return "acknowledge";
  if (entry.destination === undefined || entry.destination.length === 0) return "report-and-acknowledge";
  if (!entry.destination.equals(self.group)) return "acknowledge";
  if (entry.kind === "malformed") return "report-and-settle";
  if (entry.kind === "request") return "run";
  if (!entry.instance.equals(self.instance)) return "hand-over";
  return self.waitsFor(entry.id) ? "deliver" : "settle";
}
