/** The rest of a period after some ms: a task that waited for slow replies runs again sooner. */
export function leftOf(periodMs: number, passedMs: number): number {
  return Math.max(0, periodMs - passedMs);
}

/** Runs a task again and again, never twice at a time, and at once when it is asked to. */
export class RepeatedTask {
  private timer: NodeJS.Timeout | undefined;
  private running = false;
  private again = false;
  private underWay: Promise<void> | undefined;
  private stopped = true;

  /** `task` says in how many ms it wants to run next. */
  constructor(private readonly task: () => Promise<number>) {}

  start(): void {
    this.stopped = false;
    this.soon();
  }

  /** Resolved when the run that is under way is over. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.underWay;
  }

  /** Runs the task now, or once more right after the run that is under way. */
  soon(): void {
    if (this.stopped) return;
    if (this.running) this.again = true;
    else this.in(0);
  }

  /** Runs the task in so many ms, or right as it says after the run that is under way. */
  within(ms: number): void {
    if (!this.running) this.in(ms);
  }

  private in(ms: number): void {
    clearTimeout(this.timer);
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.underWay = this.run();
    }, ms);
  }

  private async run(): Promise<void> {
    this.running = true;
    this.again = false;
    const next = await this.task().finally(() => (this.running = false));
    this.in(this.again ? 0 : next);
  }
}
