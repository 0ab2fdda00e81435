/** The classes of faults, by an endpoint's reaction to them (SPEC.md section 13). */
export type FaultKind =
  | "unsent"
  | "lost"
  | "outage"
  | "group-lost"
  | "no-memory"
  | "no-writes"
  | "permanent"
  | "busy-group"
  | "aborted"
  | "unknown";

const KINDS: Readonly<Record<string, FaultKind>> = {
  LOADING: "outage",
  READONLY: "outage",
  MASTERDOWN: "outage",
  CLUSTERDOWN: "outage",
  TRYAGAIN: "outage",
  MOVED: "outage",
  ASK: "outage",
  BUSY: "outage",
  NOGROUP: "group-lost",
  UNBLOCKED: "group-lost",
  OOM: "no-memory",
  MISCONF: "no-writes",
  NOREPLICAS: "no-writes",
  NOPERM: "permanent",
  NOAUTH: "permanent",
  WRONGPASS: "permanent",
  WRONGTYPE: "permanent",
  BUSYGROUP: "busy-group",
};

/** `ERR` says more in the rest of its text. */
const GROUP_LOST = ["ERR no such key", "ERR The XGROUP subcommand requires the key to exist"];

const BECAUSE = /^EXECABORT .*because of: (.*)$/;

/** An error of Redis, or of the connection to it. */
export class RedisFault extends Error {
  constructor(
    readonly kind: FaultKind,
    message: string,
  ) {
    super(message);
    this.name = "RedisFault";
  }
}

export function isFault(reply: unknown): reply is RedisFault {
  return reply instanceof RedisFault;
}

/** The longest text of Redis that is kept, in UTF-16 units. */
const LONGEST_TEXT = 1000;

/** The fault that an error reply of Redis is. */
export function faultOf(text: string): RedisFault {
  const message = text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}…`;
  if (!message.startsWith("EXECABORT")) return new RedisFault(kindOf(message), message);
  // Some servers give the reason in the reply to EXEC. Otherwise the reply to the refused command has it.
  const reason = BECAUSE.exec(message)?.[1];
  return new RedisFault(reason === undefined ? "aborted" : kindOf(reason), message);
}

function kindOf(message: string): FaultKind {
  const kind = KINDS[message.split(" ", 1)[0] ?? ""];
  if (kind !== undefined) return kind;
  return GROUP_LOST.some((text) => message.startsWith(text)) ? "group-lost" : "unknown";
}

/** Whether Redis refuses it for a while, on a connection that is good: it is repeated after a pause (RIPC-RECOV-26). */
export function isForAWhile(kind: FaultKind): boolean {
  return kind === "no-memory" || kind === "no-writes";
}

/** Whether Redis refuses it for good: a send fails, and an answer is not repeated for ever (RIPC-REQ-14, RIPC-RESP-25). */
export function isForGood(kind: FaultKind): boolean {
  return kind === "permanent" || kind === "unknown";
}

/** Whether the connection is useless after such a fault: connect again, then recover. */
export function breaksConnection(kind: FaultKind): boolean {
  return kind === "unsent" || kind === "lost" || kind === "outage" || kind === "unknown";
}
