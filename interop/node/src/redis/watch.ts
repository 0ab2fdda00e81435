import type { Socket } from "node:net";

import { unacknowledged as ofTheSystem } from "./send-queue.js";

/** A connection is lost when a reply is overdue and no byte has moved for so long, in ms (RIPC-RECOV-25). */
export const SILENCE_MS = 3000;
const LOOK_EVERY_MS = 250;
/** From then on after a reply was due the system is asked what it still has to send, in ms. */
const SUSPICIOUS_MS = 500;

interface Handle {
  /** Bytes that were handed to it, those included that the operating system has not taken yet. */
  readonly bytesWritten?: number;
  /** The latter alone. */
  readonly writeQueueSize?: number;
}

/**
 * Tells when a connection is silent although a reply is overdue. A slow link is not silent: the time runs from the last byte
 * that moved, in either direction. What the operating system takes at once has not moved yet, for a dead link takes it, too: it
 * moves when the other side acknowledges it, which Linux tells.
 */
export class Watch {
  private timer: NodeJS.Timeout | undefined;
  private due = 0;
  private movedAt = 0;
  private read = 0;
  private taken = 0;
  private queued = 0;
  private left: number | undefined;

  constructor(
    private readonly socket: () => Socket | undefined,
    private readonly silent: () => void,
    private readonly unacknowledged: (socket: Socket) => number | undefined = ofTheSystem,
  ) {}

  /** Replies are outstanding, the first of which is due at this moment, by its own monotonic clock in ms. */
  until(due: number): void {
    this.due = due;
    if (this.timer !== undefined) return;
    this.hasMoved();
    this.movedAt = performance.now();
    this.look();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private look(): void {
    const now = performance.now();
    if (this.hasMoved()) this.movedAt = now;
    const overdueAt = Math.max(this.due, this.movedAt) + SILENCE_MS;
    if (now >= overdueAt) {
      this.silent();
      return;
    }
    this.timer = setTimeout(() => {
      // After a pause of the process timers run first: what came meanwhile is read before it is judged.
      setImmediate(() => {
        if (this.timer !== undefined) this.look();
      });
    }, Math.min(Math.max(LOOK_EVERY_MS, this.due - now), overdueAt - now + 1));
    this.timer.unref();
  }

  /** Whether bytes came since the last look, or the operating system took some that had waited for it. */
  private hasMoved(): boolean {
    const socket = this.socket() as (Socket & { _handle?: Handle | null }) | undefined;
    const { bytesWritten = 0, writeQueueSize = 0 } = socket?._handle ?? {};
    const read = socket?.bytesRead ?? 0;
    const taken = bytesWritten - writeQueueSize;
    const left = this.isOverdue() && socket !== undefined ? this.unacknowledged(socket) : undefined;
    const acknowledged = left !== undefined && this.left !== undefined && left < this.left;
    const moved = read !== this.read || (this.queued > 0 && taken > this.taken) || acknowledged;
    [this.read, this.taken, this.queued, this.left] = [read, taken, writeQueueSize, left];
    return moved;
  }

  /** Late enough that it is worth asking the system what it still has to send. */
  private isOverdue(): boolean {
    return performance.now() >= Math.max(this.due, this.movedAt) + SUSPICIOUS_MS;
  }
}
