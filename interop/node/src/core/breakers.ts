/**
 * Entries whose bodies break the connection. They are read last, each alone, after growing pauses (RIPC-RECOV-28).
 *
 * A body may be larger than a proxy lets through, or than the server sends to one client. An endpoint learns it only by reading.
 */
import type { Command } from "../wire/commands.js";
import { compareIds } from "../wire/entry-id.js";
import type { Reply } from "../wire/replies.js";
import { isFault } from "../wire/faults.js";

/** Time until a body that broke the connection alone is read again, in ms. */
export const FIRST_PAUSE_MS = 2000;
/** The longest time between two such reads, in ms. */
export const LONGEST_PAUSE_MS = 60_000;
/** How many entry IDs are remembered at most. */
export const MOST_KNOWN = 1000;
/** A body is reported when it has broken the connection alone so often: once may be chance. */
export const REPORTED = 2;

interface Breaker {
  /** How often it broke the connection alone. */
  alone: number;
  /** It is not read sooner, by its own clock in ms. */
  until: number;
}

/** Notes which bodies were asked for when a connection broke. */
export class Breakers {
  /** When the dispatcher's list is read again because of them, by its own clock in ms. */
  due = Infinity;
  /** Called when `due` has changed. */
  planned: () => void = () => undefined;
  private readonly known = new Map<string, Breaker>();
  /** Bodies that were asked for, without a reply so far. */
  private readonly underWay = new Map<string, number>();

  constructor(
    /** Whether a body was read before: it cannot be the cause. */
    private readonly wasRead: (entryId: string) => boolean,
    /** Gets an entry whose body broke the connection alone `REPORTED` times. */
    private readonly report: (entryId: string) => void,
  ) {}

  /** These commands are sent. */
  asked(commands: readonly Command[]): void {
    for (const id of bodiesOf(commands)) this.underWay.set(id, (this.underWay.get(id) ?? 0) + 1);
  }

  /** Their replies came, or the connection broke. Then all bodies under way are suspect, and one that is alone is the cause. */
  replied(commands: readonly Command[], replies: readonly Reply[], now: number): void {
    for (const [i, [name]] of commands.entries()) {
      if (name !== "XRANGE") continue;
      const [id] = bodiesOf(commands.slice(i, i + 1));
      const reply = replies[i] ?? null;
      if (id === undefined || !this.underWay.has(id)) continue;
      if (isFault(reply) && reply.kind === "lost") {
        this.broke(now);
        return;
      }
      this.over(id);
      this.known.delete(id);
    }
  }

  /** From now on this body is read alone. */
  suspect(entryId: string): Breaker {
    const breaker = this.known.get(entryId) ?? { alone: 0, until: -Infinity };
    this.known.set(entryId, breaker);
    for (const oldest of this.known.keys()) {
      if (this.known.size <= MOST_KNOWN) break;
      this.known.delete(oldest);
    }
    return breaker;
  }

  /** Whether its body may be read together with others. */
  trusts(entryId: string): boolean {
    return !this.known.has(entryId);
  }

  /** Those to read now, each alone. The one that broke the fewest connections comes first. */
  alone<Row extends { readonly entryId: string }>(rows: readonly Row[], now: number): Row[] {
    const times = ({ entryId }: Row) => this.known.get(entryId)?.alone ?? 0;
    const may = ({ entryId }: Row) => now >= (this.known.get(entryId)?.until ?? Infinity);
    return rows.filter(may).sort((a, b) => times(a) - times(b));
  }

  /** The first entry after `start` whose body broke a connection alone. */
  after(start: string): string | undefined {
    const found = [...this.known].filter(([id, { alone }]) => alone > 0 && (start === "-" || compareIds(id, start) > 0));
    return found.map(([id]) => id).sort(compareIds)[0];
  }

  /** The dispatcher's list has these, still unread. It is read again when the first of them may be read. */
  later(rows: readonly { readonly entryId: string }[]): void {
    this.plan(Math.min(Infinity, ...rows.map(({ entryId }) => this.known.get(entryId)?.until ?? Infinity)));
  }

  /** The dispatcher's list is read again then. */
  plan(at: number): void {
    this.due = at;
    this.planned();
  }

  private broke(now: number): void {
    const ids = [...this.underWay.keys()].filter((id) => !this.wasRead(id));
    this.underWay.clear();
    for (const id of ids) this.suspect(id);
    const [id] = ids;
    if (id === undefined || ids.length > 1) return;
    const breaker = this.suspect(id);
    breaker.alone++;
    breaker.until = now + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(breaker.alone - 1, 10));
    if (breaker.alone === REPORTED) this.report(id);
  }

  private over(id: string): void {
    const left = (this.underWay.get(id) ?? 1) - 1;
    if (left > 0) this.underWay.set(id, left);
    else this.underWay.delete(id);
  }
}

/** The entry IDs whose bodies single reads ask for. */
function bodiesOf(commands: readonly Command[]): string[] {
  return commands.flatMap(([name, , start, end]) => (name === "XRANGE" && start === end && typeof start === "string" ? [start] : []));
}
