/** What an endpoint counts for its user. Nothing depends on it. */
export interface Counts {
  fulfilled: number;
  rejected: number;
  failed: number;
  timeouts: number;
  reconnects: number;
}

export const noCounts = (): Counts => ({ fulfilled: 0, rejected: 0, failed: 0, timeouts: 0, reconnects: 0 });
