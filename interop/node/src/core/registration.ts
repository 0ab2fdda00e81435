import * as commands from "../wire/commands.js";
import { isFault } from "../wire/faults.js";
import { announcementText } from "./announcement.js";
import { RepeatedTask, leftOf } from "./timers.js";
import type { RegistrationPort, SharedWith } from "./ports.js";

/** 2 s sooner than required (RIPC-LIFE-11), so that a small delay does no harm. */
export const REFRESH_MS = 8000;
/** Requests may be written for so long after the list was last known to exist, in ms (RIPC-LIFE-27). */
export const REFRESH_BEFORE_REQUEST_MS = 30_000;
/** A failed refresh is tried again after this time, in ms. */
const AGAIN_MS = 1000;

/** Keeps the availability list, the announcement, the dispatcher and the knowledge of siblings fresh (section 6). */
export class Registration implements RegistrationPort {
  private readonly task = new RepeatedTask(async () => {
    const began = this.shared.now();
    let done = false;
    await this.shared.attempt(async () => {
      await this.refresh();
      done = true;
    });
    return done && this.registered ? leftOf(REFRESH_MS, this.shared.now() - began) : AGAIN_MS;
  });
  /** When Redis last confirmed that the list exists, by its own clock in ms. */
  private refreshedAt = -Infinity;
  /** Redis refused the registration for a while: it is made when Redis lets it (RIPC-RECOV-6). */
  private registered = true;
  /** The refresh right after a registration would only repeat it. */
  private fresh = false;

  constructor(private readonly shared: SharedWith<"responder" | "siblings" | "wakeups">) {}

  start(): void {
    this.fresh = this.registered;
    this.task.start();
  }

  stop(): Promise<void> {
    return this.task.stop();
  }

  /** In how many ms requests may be written: not before the list is known to exist (RIPC-LIFE-27). */
  mayAddIn(now: number): number {
    if (this.registered && now - this.refreshedAt <= REFRESH_BEFORE_REQUEST_MS) return 0;
    this.task.soon();
    return AGAIN_MS / 10;
  }

  /** Writes the list, in one MULTI with its expiry (RIPC-LIFE-7 to 10), and the announcement. */
  async register(): Promise<void> {
    const { shared } = this;
    const at = shared.now();
    const replies = await shared.batch(commands.register(shared.names));
    // If EXEC was discarded, the first fault says why.
    const inside = replies.at(-1) ?? null;
    const fault = replies.find(isFault) ?? (Array.isArray(inside) ? inside.find(isFault) : undefined);
    if (isFault(replies[0]) && replies[0].kind === "permanent") shared.multiRefused();
    if (fault === undefined || fault.message.startsWith("NOPERM")) {
      // Without the right to it no list can be kept: a group of one instance needs none.
      this.registered = true;
      this.refreshedAt = at;
      await this.announce();
    } else if (fault.kind === "no-memory") this.registered = false;
    else throw fault;
  }

  /** Announces the features that are in use at the moment (RIPC-VERS-5). */
  async announce(): Promise<void> {
    const { options, names, wakeups, responder } = this.shared;
    if (!options.announce) return;
    const text = announcementText({ wakeup: wakeups.listening, responder: responder.serves, timeoutMs: options.timeoutMs });
    await this.shared.batch([commands.announce(names, text)]);
  }

  /** On disconnect (RIPC-LIFE-19, RIPC-VERS-3). */
  async remove(): Promise<void> {
    await this.shared.batch([commands.unregister(this.shared.names), commands.unannounce(this.shared.names)]);
  }

  private async refresh(): Promise<void> {
    const { shared } = this;
    const { names, session } = shared;
    if (!this.fresh) {
      const at = shared.now();
      const [kept = null, announced, time = null] = await shared.batch([
        commands.keepRegistered(names),
        commands.keepAnnounced(names),
        ["TIME"],
        commands.use(names, names.dispatcher),
      ]);
      if (!isFault(time)) session?.sawTime(time, at);
      if (isFault(kept) && kept.kind !== "permanent") throw kept;
      if (kept === 0) await this.register(); // RIPC-LIFE-12
      else {
        this.registered = true;
        this.refreshedAt = at;
        if (announced === 0) await this.announce();
      }
    }
    this.fresh = false;
    await shared.siblings.refresh();
  }
}
