/** The states of an endpoint: the machine `connection` of SPEC.md (schemas/1.0/tables/states.json). */
export type ConnectionState = "new" | "joining" | "up" | "down" | "closing" | "closed";
export type ConnectionEvent = "connect" | "failed" | "joined" | "lost" | "group lost" | "recovered" | "disconnect" | "disconnect midway" | "left" | "limit";

/** Whether an endpoint can work. */
export interface Health {
  /** `busy`: it is up, and all handlers have been busy for longer than `timeoutMs`. */
  readonly state: ConnectionState | "busy";
  /** When it came into the state of its connection, in Unix ms. */
  readonly since: number;
  /** Why it is busy or away; else empty. */
  readonly reason: string;
  /** Whether it is up and not busy. */
  readonly ok: boolean;
}

/** By state and event, the next state. A test compares it with the table, row by row. */
export const CONNECTION: Readonly<Record<ConnectionState, Partial<Record<ConnectionEvent, ConnectionState>>>> = {
  new: { connect: "joining", disconnect: "closed" },
  joining: { failed: "joining", joined: "up", disconnect: "closed", "disconnect midway": "closing" },
  up: { lost: "down", "group lost": "down", disconnect: "closing" },
  down: { failed: "down", recovered: "up", disconnect: "closed", "disconnect midway": "closing" },
  closing: { left: "closed", limit: "closed", lost: "closed" },
  closed: {},
};

/** Where an endpoint is in its life. Every change goes through the table; an event that a state does not have changes nothing. */
export class Lifecycle {
  state: ConnectionState = "new";
  /** When it came into its state, in Unix ms. */
  since = Date.now();
  /** Why it is away: the last error of Redis or of the connection. Empty where it is not. */
  reason = "";

  constructor(private readonly changed: (lifecycle: Lifecycle) => void = () => undefined) {}

  advance(event: ConnectionEvent, reason = ""): void {
    const next = CONNECTION[this.state][event];
    if (next === undefined) return;
    this.reason = next === "joining" || next === "down" ? reason || this.reason : "";
    if (next === this.state) return;
    this.state = next;
    this.since = Date.now();
    this.changed(this);
  }
}
