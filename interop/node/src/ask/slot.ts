import { setTimeout as sleep } from "node:timers/promises";

import type { Outcome } from "../outcome.js";
import type { Connection, ConnectionOptions } from "../redis/connection.js";
import { openFirst } from "../redis/first-connection.js";
import { waitAtMost } from "../redis/wait.js";
import { RedisFault, isFault } from "../wire/faults.js";
import type { Reply } from "../wire/replies.js";
import type { Call } from "./call.js";
import type { Turn } from "./turn.js";

/** A connection that was unused for so long is no longer trusted, in ms: the next call opens a new one. */
const IDLE_MS = 10_000;
/** Opening a connection may take so long, in ms. */
const OPEN_MS = 5000;

/** A slot for one call at a time, and the connection that the last call left. */
export class Slot {
  private connection: Connection | undefined;
  /** A turn was answered on it. */
  private answered = false;
  private idle: NodeJS.Timeout | undefined;

  constructor(private readonly options: Pick<ConnectionOptions, "url" | "tls">) {}

  /** Drives a call to its outcome. `signal`: the caller no longer waits. Never throws. */
  async converse(call: Call, signal: AbortSignal): Promise<Outcome> {
    clearTimeout(this.idle);
    if (this.connection?.isUsable === false) this.drop();
    this.connection?.keepsAlive(true);
    const stop = () => {
      this.drop(); // it waits for a reply: what is deleted now goes over a new one
    };
    signal.addEventListener("abort", stop, { once: true });
    try {
      return await this.lead(call, signal);
    } finally {
      signal.removeEventListener("abort", stop);
      this.rest();
    }
  }

  /** Ends the connection, in use or not. */
  drop(): void {
    clearTimeout(this.idle);
    this.connection?.close();
    this.connection = undefined;
    this.answered = false;
  }

  private async lead(call: Call, signal: AbortSignal): Promise<Outcome> {
    for (let waited = true; ; ) {
      if (waited && signal.aborted) {
        waited = false;
        call.cancel(performance.now());
      }
      const now = performance.now();
      const turn = call.turn(now);
      if (turn === undefined) return call.outcome!;
      const giveUp = waited ? signal : undefined;
      if (turn.at > now) await sleep(waitAtMost(turn.at - now), undefined, giveUp && { signal: giveUp }).catch(() => undefined);
      else await this.take(call, turn, giveUp);
    }
  }

  private async take(call: Call, turn: Turn, giveUp: AbortSignal | undefined): Promise<void> {
    try {
      const connection = await this.open(turn, giveUp);
      const replies = await within(turn.limit, connection, connection.batch(turn.commands, turn.blockMs));
      const broken = replies.find((reply) => isFault(reply) && (reply.kind === "lost" || reply.kind === "unsent"));
      if (isFault(broken)) {
        this.drop();
        call.lost(broken.kind === "lost", broken, performance.now());
      } else {
        this.answered = true;
        call.replied(replies, performance.now());
      }
    } catch (error) {
      // There was no connection, or a reply made no sense.
      const sent = this.connection !== undefined;
      this.drop();
      call.lost(sent, isFault(error) ? error : new RedisFault("unknown", String(error)), performance.now());
    }
  }

  private async open(turn: Turn, giveUp: AbortSignal | undefined): Promise<Connection> {
    if (this.connection !== undefined && !(turn.fresh && this.answered)) return this.connection;
    this.drop();
    const connectTimeoutMs = Math.max(10, Math.min(OPEN_MS, turn.limit - performance.now()));
    const signal = giveUp ?? new AbortController().signal;
    const connection = await openFirst({ ...this.options, connectTimeoutMs, signal }, []);
    this.connection = connection;
    return connection;
  }

  /** An unused connection does not keep the process alive, and is closed after a while. */
  private rest(): void {
    if (this.connection === undefined) return;
    this.connection.keepsAlive(false);
    this.idle = setTimeout(() => {
      this.drop();
    }, IDLE_MS);
    this.idle.unref();
  }
}

/** The replies. Those that have not come by the limit are lost with the connection. */
async function within(limit: number, connection: Connection, replies: Promise<Reply[]>): Promise<Reply[]> {
  const timer = setTimeout(() => {
    connection.close();
  }, waitAtMost(limit - performance.now()));
  try {
    return await replies;
  } finally {
    clearTimeout(timer);
  }
}
