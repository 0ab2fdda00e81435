/** Growing pauses with a random part: the first is under 0.2 s, the longest 0.8 s (RIPC-RECOV-2): Redis is used again within 1 s after it is back. */
export class Backoff {
  private attempts = 0;

  constructor(
    private readonly firstMs = 100,
    private readonly longestMs = 800,
  ) {}

  /** The next pause, in ms. */
  next(): number {
    const full = Math.min(this.firstMs * 2 ** this.attempts++, this.longestMs);
    return full * (0.5 + Math.random() / 2);
  }

  reset(): void {
    this.attempts = 0;
  }
}
