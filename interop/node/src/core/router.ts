import type { Entry, Malformed, Request } from "../wire/entry.js";
import { actionFor } from "./routing.js";
import type { RouterPort, SharedWith } from "./ports.js";

/** Does with each entry that was read, found or claimed what the table says (SPEC.md section 7). */
export class Router implements RouterPort {
  private readonly group: Buffer;

  constructor(private readonly shared: SharedWith<"writer" | "requester" | "responder" | "handOver">) {
    this.group = Buffer.from(shared.names.group);
  }

  isForUs(request: Request): boolean {
    return request.destination.equals(this.group);
  }

  /** `starts`: of a request, how often it has been started when it is now; `keptAt`: when it was given to us, at the earliest. */
  route(entry: Entry, starts: number, keptAt: number): void {
    const { writer, requester, responder, handOver, names } = this.shared;
    const self = {
      group: this.group,
      instance: Buffer.from(names.instance),
      waitsFor: (id: Buffer) => requester.ledger.has(id),
    };
    const action = actionFor(entry, self);
    if (action === "run") responder.receive(entry as Request, starts, keptAt);
    else if (entry.kind === "response" && action === "hand-over") handOver.add(entry);
    else if (action === "acknowledge") writer.skip(entry.entryId);
    else if (action === "report-and-acknowledge") writer.acknowledge(entry.entryId);
    else writer.settle(entry.entryId);
    if (entry.kind === "response" && action === "deliver") requester.deliver(entry);
    if (entry.kind === "malformed" && action.startsWith("report")) this.report(entry);
  }

  private report(entry: Malformed): void {
    this.shared.reporter.problem({
      kind: "malformed",
      message: `the entry ${entry.entryId} is malformed: ${entry.why}`,
      entryId: entry.entryId,
      fields: entry.fields,
    });
  }
}
