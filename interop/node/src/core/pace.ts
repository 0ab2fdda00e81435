/** How many entries of others in a row make a member pause. */
export const PAUSE_AFTER = 16;
/** A pause is not longer than so many entries take to come. */
const ENOUGH = 8;
/**
 * Where entries come further apart than so many pauses, nobody pauses. Where each of many groups takes its time for each entry, all
 * are slow, and so few entries come: a narrower limit would keep it so.
 */
const SPARSE = 4;
const WEIGHT = 0.3;
/** A timer takes a whole millisecond at least: a shorter pause is none. */
const SHORTEST_TIMER_MS = 0.5;

/**
 * The pace of a group that reads other groups' entries only. Every entry wakes every group of the stream. A member that finds nothing for
 * its own group, time after time, and has nothing under way, lets a few entries come together before it reads again.
 *
 * The first request to such a group waits for the end of a pause: `mostMs` at most, half of that as a rule. On a stream on which little
 * happens nobody pauses.
 */
export class Pace {
  /** Before which moment an idle member does not read, by its own clock in ms. */
  private until = -Infinity;
  private inRow = 0;
  private gap: number;
  private readAt = 0;
  /** Ends the pause under way. */
  private end: () => void = () => undefined;

  /** `mostMs`: the longest pause, 0 for none. */
  constructor(private readonly mostMs: number) {
    this.gap = mostMs;
  }

  /** A blocked read brought `entries`, of which `others` are for other groups. */
  read(entries: number, others: number, now: number): void {
    if (others < entries || entries === 0) {
      this.over();
      return;
    }
    const { mostMs } = this;
    if (this.inRow > 0) this.gap += (Math.min((now - this.readAt) / others, 2 * SPARSE * mostMs) - this.gap) * WEIGHT;
    else this.gap = mostMs;
    this.inRow += others;
    this.readAt = now;
    if (this.inRow > PAUSE_AFTER && this.gap <= SPARSE * mostMs) this.until = now + Math.min(this.gap * ENOUGH, mostMs);
  }

  /** Something is for this group: it reads at once, until it has seen others' entries for long again. */
  over(): void {
    this.inRow = 0;
    this.until = -Infinity;
  }

  /** What is left of the pause, in ms. */
  left(now: number): number {
    const left = this.until - now;
    return left < SHORTEST_TIMER_MS ? 0 : left;
  }

  /** Resolved at the end of the pause, or as soon as something is under way. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.round(ms));
      this.end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Something is under way, whose answer the next read may bring. */
  wake(): void {
    this.end();
  }
}
