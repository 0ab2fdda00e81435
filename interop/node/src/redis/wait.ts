/** setTimeout takes no more: from 2^31 ms on it would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** A time for setTimeout, in ms: not more than it takes, and not early by a fraction. */
export function waitAtMost(ms: number): number {
  return Math.min(Math.max(0, Math.ceil(ms)), LONGEST_MS);
}
