import type { Socket } from "node:net";

/** A connection is lost when a reply is overdue and no byte has moved for so long, in ms (RIPC-RECOV-25). */
export const SILENCE_MS = 3000;
const LOOK_EVERY_MS = 250;

interface Handle {
  /** Bytes that the operating system has not taken yet. */
  readonly writeQueueSize?: number;
}

/**
 * Tells when a connection is silent although a reply is overdue. A slow link is none: the time runs from the last byte that
 * moved, in either direction.
 */
export class Watch {
  private timer: NodeJS.Timeout | undefined;
  private due = 0;
  private moved = "";
  private movedAt = 0;

  constructor(
    private readonly socket: () => Socket | undefined,
    private readonly silent: () => void,
  ) {}

  /** Replies are outstanding, the last of which is due at this moment, by the own monotonic clock in ms. */
  until(due: number): void {
    this.due = due;
    if (this.timer !== undefined) return;
    this.movedAt = performance.now();
    this.look();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private look(): void {
    const now = performance.now();
    const moved = this.position();
    if (moved !== this.moved) {
      this.moved = moved;
      this.movedAt = now;
    }
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

  private position(): string {
    const socket = this.socket() as (Socket & { _handle?: Handle | null }) | undefined;
    return `${socket?.bytesRead ?? 0} ${socket?.bytesWritten ?? 0} ${socket?._handle?.writeQueueSize ?? 0}`;
  }
}
