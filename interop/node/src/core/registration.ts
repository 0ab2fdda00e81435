import * as commands from "../wire/commands.js";
import { isFault } from "../wire/faults.js";
import { announcementText } from "./announcement.js";
import type { Hub } from "./hub.js";
import { Ticker } from "./ticker.js";

const EVERY_MS = 10_000;

/** Keeps the availability list, the announcement, the dispatcher and the knowledge of siblings fresh (section 6). */
export class Registration {
  private readonly ticker = new Ticker(async () => {
    await this.hub.attempt(() => this.refresh());
    return EVERY_MS;
  });
  /** The refresh right after a registration would only say the same again. */
  private fresh = false;

  constructor(private readonly hub: Hub) {}

  start(): void {
    this.fresh = true;
    this.ticker.start();
  }

  stop(): Promise<void> {
    return this.ticker.stop();
  }

  /** Writes the list, in one MULTI with its expiry (RIPC-LIFE-7 to 10), and the announcement. */
  async register(): Promise<void> {
    const replies = await this.hub.batch(commands.register(this.hub.names));
    // Of an EXEC that was discarded the first fault says why.
    const fault = replies.find(isFault) ?? (replies.at(-1) as unknown[]).find(isFault);
    if (fault !== undefined) throw fault;
    await this.announce();
  }

  /** Tells the features that are in use at the moment (RIPC-VERS-5). */
  async announce(): Promise<void> {
    const { options, names, wakeups } = this.hub;
    if (!options.announce) return;
    const text = announcementText(wakeups.listening ? ["wakeup"] : []);
    await this.hub.batch([commands.announce(names, text)]);
  }

  /** On disconnect (RIPC-LIFE-19, RIPC-VERS-3). */
  async remove(): Promise<void> {
    await this.hub.batch([commands.unregister(this.hub.names), commands.unannounce(this.hub.names)]);
  }

  private async refresh(): Promise<void> {
    const { names, siblings } = this.hub;
    if (!this.fresh) {
      const [kept] = await this.hub.batch([commands.keepRegistered(names), commands.use(names, names.dispatcher)]);
      if (isFault(kept)) throw kept;
      if (kept === 0) await this.register(); // RIPC-LIFE-12
      else await this.announce();
    }
    this.fresh = false;
    await siblings.refresh();
  }
}
