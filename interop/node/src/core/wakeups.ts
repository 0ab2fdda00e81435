import { setTimeout as sleep } from "node:timers/promises";

import { ConnectPause } from "../redis/connect-pause.js";
import { Connection } from "../redis/connection.js";
import { isFault } from "../wire/faults.js";
import type { SharedWith, WakeupsPort } from "./ports.js";

/** Pub/sub wake-ups: they make things quicker, and nothing depends on them (RIPC-GROUP-6, 7, 26). */
export class Wakeups implements WakeupsPort {
  listening = false;
  private connection: Connection | undefined;
  private readonly stopped = new AbortController();
  private groupSoon = false;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly shared: SharedWith<"reclaimer" | "ownList">,
    /** Called when `listening` has changed, so that the announcement follows (RIPC-VERS-5). */
    private readonly changed: () => void,
  ) {}

  /** Listens, now and again after each loss, until stop(). Resolved after the first attempt. */
  async start(): Promise<void> {
    if (!this.shared.options.wakeups) return;
    const usable = await this.listen();
    if (usable) void this.keepListening();
  }

  stop(): void {
    this.stopped.abort();
    this.listening = false;
    this.connection?.close();
    for (const goOn of this.waiting.splice(0)) goOn();
  }

  /** Wakes one instance. */
  wake(channel: Buffer): void {
    if (this.shared.options.wakeups) void this.publish(channel);
  }

  /** Notifies the group that something was given back: once for everything of one moment. */
  wakeGroup(): void {
    if (!this.shared.options.wakeups || this.groupSoon) return;
    this.groupSoon = true;
    setImmediate(() => {
      this.groupSoon = false;
      void this.publish(this.shared.names.groupWakeup);
    });
  }

  /** Without the right to it, it is tried again after a pause (RIPC-RECOV-27). */
  private async publish(channel: Buffer | string): Promise<void> {
    const { pauses } = this.shared;
    if (pauses.lacks("PUBLISH", this.shared.now())) return;
    const [reply] = await this.shared.batch([["PUBLISH", channel, ""]]);
    if (isFault(reply) && reply.kind === "permanent") pauses.forbidden("PUBLISH", reply, this.shared.now());
    else if (!isFault(reply)) pauses.granted("PUBLISH");
  }

  /** False if it is not allowed: then there are no wake-ups. */
  private async listen(): Promise<boolean> {
    const { options, names } = this.shared;
    try {
      const connection = await Connection.open({ ...options, signal: this.stopped.signal });
      this.connection = connection;
      await connection.subscribe([names.wakeup, names.groupWakeup], (channel) => {
        if (channel === names.wakeup) this.shared.ownList.readSoon();
        else this.shared.reclaimer.woken();
      });
      this.listening = !this.stopped.signal.aborted;
      if (!this.listening) connection.close();
    } catch (error) {
      this.connection?.close();
      if (!isFault(error)) throw error;
      if (error.kind === "permanent") return false;
    }
    return true;
  }

  /** The session is there. `again`: its host may have died, and the listening connection with it. */
  connected(again: boolean): void {
    if (again && this.listening) void this.connection?.ping();
    for (const goOn of this.waiting.splice(0)) goOn();
  }

  /** While the session is away, it does not try to listen: that would only add attempts to connect. */
  private untilConnected(): Promise<void> {
    return this.shared.live || this.stopped.signal.aborted ? Promise.resolve() : new Promise((goOn) => this.waiting.push(goOn));
  }

  private async keepListening(): Promise<void> {
    const { signal } = this.stopped;
    const pause = new ConnectPause();
    while (!signal.aborted) {
      if (this.listening) {
        await this.connection?.lost;
        if (signal.aborted) return;
        this.listening = false;
        this.changed();
        pause.reset();
      }
      await sleep(pause.next(), undefined, { signal }).catch(() => undefined);
      await this.untilConnected();
      if (signal.aborted || !(await this.listen())) return;
      if (this.listening) {
        this.changed();
        // Messages that were published meanwhile are lost.
        this.shared.ownList.readSoon();
        this.shared.reclaimer.woken();
      }
    }
  }
}
