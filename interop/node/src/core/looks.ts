/** Between two planned looks, in ms: one that is so near to another one does for both. The read has still ended, and 1 s is not over. */
const ONE_LOOK_MS = 250;

/** When the dispatcher's list is to be read again: once for each read that was lost, after its end (RIPC-RECOV-21). */
export class Looks {
  private planned: number[] = [];

  /** The next one, by its own clock in ms. */
  get first(): number | undefined {
    return this.planned[0];
  }

  plan(at: number): void {
    if (this.planned.some((other) => Math.abs(other - at) <= ONE_LOOK_MS)) return;
    this.planned = [...this.planned, at].sort((a, b) => a - b);
  }

  /** A look that began at this moment is over. */
  done(begun: number): void {
    this.planned = this.planned.filter((at) => at > begun);
  }
}
