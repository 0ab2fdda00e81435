/** What went wrong with a command, by what an endpoint does about it (SPEC.md section 13). */
export type FaultKind = "unsent" | "lost" | "outage" | "group-lost" | "refusal" | "permanent" | "busy-group" | "aborted" | "unknown";

const KINDS: Readonly<Record<string, FaultKind>> = {
  LOADING: "outage",
  READONLY: "outage",
  MASTERDOWN: "outage",
  CLUSTERDOWN: "outage",
  TRYAGAIN: "outage",
  MOVED: "outage",
  ASK: "outage",
  BUSY: "outage",
  NOREPLICAS: "outage",
  NOGROUP: "group-lost",
  UNBLOCKED: "group-lost",
  OOM: "refusal",
  MISCONF: "refusal",
  NOPERM: "permanent",
  NOAUTH: "permanent",
  WRONGPASS: "permanent",
  WRONGTYPE: "permanent",
  BUSYGROUP: "busy-group",
};

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

/** The fault that an error reply of Redis is. */
export function faultOf(message: string): RedisFault {
  if (!message.startsWith("EXECABORT")) return new RedisFault(KINDS[codeOf(message)] ?? "unknown", message);
  // Some servers say why in the reply to EXEC; else the reply to the refused command does.
  const reason = BECAUSE.exec(message)?.[1];
  return new RedisFault(reason === undefined ? "aborted" : (KINDS[codeOf(reason)] ?? "unknown"), message);
}

function codeOf(message: string): string {
  return message.split(" ", 1)[0] ?? "";
}

/** Whether the connection is of no more use after such a fault: connect anew, then recover. */
export function breaksConnection(kind: FaultKind): boolean {
  return kind === "unsent" || kind === "lost" || kind === "outage" || kind === "unknown";
}
