/** How often it is looked how late this process is, in ms. */
const EVERY_MS = 5;

/**
 * The time that this process had: what a busy machine took from it does not count. A server and an endpoint of one test are in one
 * process, so a bound in this time says something about them on any machine.
 */
export class OwnTime implements Disposable {
  private lateMs = 0;
  private last = performance.now();
  private readonly timer: NodeJS.Timeout;

  constructor() {
    this.timer = setInterval(() => this.look(), EVERY_MS);
    this.timer.unref();
  }

  /** In ms. */
  now(): number {
    return this.look() - this.lateMs;
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer);
  }

  private look(): number {
    const now = performance.now();
    this.lateMs += Math.max(0, now - this.last - EVERY_MS - 2);
    this.last = now;
    return now;
  }
}

/** Lets this process have so much time, in ms. */
export async function pass(ms: number): Promise<void> {
  using own = new OwnTime();
  for (const end = own.now() + ms; own.now() < end; ) await new Promise((resolve) => setTimeout(resolve, Math.min(ms, EVERY_MS)));
}

/** Waits until it is so. Throws after this time of its own, in ms. */
export async function until(so: () => boolean, what: () => string = () => "it does not become so", within = 5000): Promise<void> {
  using own = new OwnTime();
  const limit = own.now() + within;
  while (!so()) {
    if (own.now() > limit) throw new Error(what());
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
