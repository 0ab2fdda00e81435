import { type Request, keyOf } from "../wire/entry.js";
import { announcementKey } from "../wire/names.js";
import { announcedTimeoutMs } from "./announcement.js";
import type { Held } from "./held.js";
import type { Shared } from "./shared.js";

/** After this time an announcement is read again, in ms. */
const TRUSTED_MS = 60_000;
/** After this time it is asked for again if no reply came, in ms. */
const AGAIN_MS = 1000;
/** Instances whose timeouts are kept; the oldest goes first. */
const MOST_KEPT = 1000;

/** The longest key of an announcement, in bytes. The sender with a longer one has none that is read. */
const LONGEST_KEY = 4096;

interface Known {
  readonly timeoutMs: number | undefined;
  /** By its own clock, in ms. */
  readonly until: number;
}

/** How long a requester still waits: of the time that its request states (RIPC-CHAN-17), or else of the default that its instance announces (RIPC-VERS-8). */
export class TimeLeft {
  private readonly known = new Map<string, Known>();

  constructor(private readonly shared: Shared) {}

  /** In ms, by Redis' clock from the entry ID on; undefined where no limit is known, negative where it is over. */
  of({ request, storedAt }: Held, statedMs: number | undefined): number | undefined {
    const limit = statedMs ?? this.announced(request);
    return limit === undefined ? undefined : limit - (this.shared.now() - storedAt);
  }

  /** An announcement is read when it is first needed. Until then nothing is known. */
  private announced({ source, instance }: Request): number | undefined {
    const { shared } = this;
    const key = announcementKey(shared.names.stream, source.toString("utf8"), instance);
    if (key.length > LONGEST_KEY) return undefined;
    const before = this.known.get(keyOf(key));
    if (before === undefined || shared.now() >= before.until) void this.ask(key, before?.timeoutMs);
    return before?.timeoutMs;
  }

  private async ask(key: Buffer, before: number | undefined): Promise<void> {
    const { shared } = this;
    this.know(key, before, AGAIN_MS);
    const [reply = null] = await shared.batch([["GET", key]]);
    if (Buffer.isBuffer(reply) || reply === null) this.know(key, announcedTimeoutMs(reply), TRUSTED_MS);
  }

  private know(key: Buffer, timeoutMs: number | undefined, forMs: number): void {
    const { known, shared } = this;
    known.delete(keyOf(key));
    const [oldest] = known.keys();
    if (known.size >= MOST_KEPT && oldest !== undefined) known.delete(oldest);
    known.set(keyOf(key), { timeoutMs, until: shared.now() + forMs });
  }
}
