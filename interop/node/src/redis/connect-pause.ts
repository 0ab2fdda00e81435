/**
 * The growing pause between two attempts to connect, with a random part: the first is at most 0.05 s, the longest 0.2 to 0.4 s (RIPC-RECOV-2). So Redis
 * is used again within 1 s after it is back. An attempt that fails opens one connection.
 */
export class ConnectPause {
  private attempts = 0;

  constructor(
    private readonly firstMs = 50,
    private readonly longestMs = 400,
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
