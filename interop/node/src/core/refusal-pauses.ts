import type { RedisFault } from "../wire/faults.js";

/** Pauses between attempts at what Redis refuses: they grow while it refuses, and begin again after a success. */
export class Pause {
  /** Nothing of the kind is tried before this time, by its own monotonic clock, in ms. */
  until = -Infinity;
  private length = 0;
  private refusedAt = -Infinity;

  constructor(
    private readonly firstMs: number,
    private readonly longestMs: number,
  ) {}

  /** Whether the last attempt was refused. */
  get active(): boolean {
    return this.length > 0;
  }

  /** Redis refused it. Several refusals of one attempt count once. `mostMs`: this pause is no longer than that. */
  refused(now: number, mostMs = Infinity): void {
    this.refusedAt = now;
    if (this.active && now < this.until) return;
    this.length = Math.min(this.longestMs, mostMs, Math.max(this.firstMs, this.length * 2));
    this.until = now + this.length;
  }

  /** Redis took it, or another command of the kind: what was refused is not repeated sooner than after the first pause. */
  over(): void {
    this.length = 0;
    this.until = Math.min(this.until, this.refusedAt + this.firstMs);
  }
}

/** While Redis takes no writes, the least time between two attempts of one kind, in ms (RIPC-RECOV-26). */
export const LEAST_MS = 200;
/** The longest pause while a key has another type, in ms: any client may delete it (RIPC-RECOV-27). */
const REPLACED_MS = 800;
/** Work that someone waits for: it must succeed soon after the right is back (RIPC-RECOV-27). */
const WAITED_FOR = new Set(["read", "own list", "answers"]);

/** One pause for each kind of refusal (RIPC-RECOV-26), and one for each thing that the user has no right to (RIPC-RECOV-27). */
export class Pauses {
  readonly memory = new Pause(LEAST_MS, 1000);
  readonly writes = new Pause(LEAST_MS, 1000);
  private readonly rights = new Map<string, Pause>();

  right(name: string): Pause {
    const pause = this.rights.get(name) ?? new Pause(1000, WAITED_FOR.has(name) ? 1000 : 30_000);
    this.rights.set(name, pause);
    return pause;
  }

  /** Redis refused it for good, and will do so until somebody repairs that. */
  forbidden(name: string, fault: RedisFault, now: number): void {
    this.right(name).refused(now, fault.message.startsWith("WRONGTYPE") ? REPLACED_MS : Infinity);
  }

  /** Whether it was refused for good, and its pause is not over. */
  lacks(name: string, now: number): boolean {
    return now < (this.rights.get(name)?.until ?? -Infinity);
  }

  granted(name: string): void {
    this.rights.delete(name);
  }
}
