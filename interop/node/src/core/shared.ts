import type { Reporter } from "../events.js";
import { Lifecycle } from "../lifecycle.js";
import { Observing } from "../observing.js";
import type { ResolvedOptions } from "../options.js";
import type { Session } from "../redis/session.js";
import type { Command } from "../wire/commands.js";
import { RedisFault, isFault } from "../wire/faults.js";
import { compareIds } from "../wire/entry-id.js";
import type { Names } from "../wire/names.js";
import type { Reply } from "../wire/replies.js";
import { Breakers, REPORTED } from "./breakers.js";
import { Pace } from "./pace.js";
import { Pauses } from "./refusal-pauses.js";
import { Sizes } from "./sizes.js";
import { type Counts, noCounts } from "./counts.js";

/**
 * What the parts of one endpoint share: its names and options, the session in use, and what they know of Redis. All state is owned by the one thread of
 * Node, so between two awaits nothing changes under a part's feet.
 */
export class Shared {
  readonly pauses = new Pauses();
  readonly sizes = new Sizes();
  readonly pace: Pace;
  readonly breakers: Breakers;
  readonly lifecycle: Lifecycle;
  readonly counts: Counts = noCounts();

  /** The session in use; undefined while the connection is away. */
  session: Session | undefined;
  /** Connected, recovered and registered: requests and answers may be written. */
  live = false;
  /** When it became so, by its own monotonic clock, in ms. */
  liveSince = -Infinity;
  /** The highest entry ID that was read or got as a reply: what is written now comes after it (RIPC-TIME-14). */
  highest = "0-0";
  /** Redis refuses MULTI itself: answers are written by three commands (RIPC-RESP-26). */
  singly = false;
  /** The group is gone and being made again: no request is written meanwhile (RIPC-RECOV-10). */
  regrouping = false;
  /** close() was called: nothing is started any more. */
  closing = false;
  /** The time that close() gives is over: nothing is sent any more, by handlers that still run either. */
  closed = false;
  /** Whether a request is in progress here, so that its body was read. */
  holds: (entryId: string) => boolean = () => false;

  constructor(
    public names: Names,
    readonly options: ResolvedOptions,
    readonly reporter: Reporter,
  ) {
    this.pace = new Pace(options.readPauseMs);
    if (options.observers.length > 0) {
      reporter.observing = new Observing(options.observers, (message, cause) => {
        reporter.problem({ kind: "observer", message, cause });
      });
    }
    this.breakers = new Breakers((entryId) => this.holds(entryId), (entryId) => {
      const what = `the body of entry ${entryId} broke the connection ${REPORTED} times when read`;
      reporter.problem({ kind: "unreadable", message: `${what}; look for a limit on the size of replies, at Redis or on the way to it`, entryId });
    });
    this.lifecycle = new Lifecycle(({ state, since, reason }) => {
      reporter.tell("state", { state, since, reason, ok: state === "up" });
    });
  }

  /** Whether looks work: also while Redis refuses the writes of a recovery. */
  get reachable(): boolean {
    return this.session?.isOver === false;
  }

  /** Its own monotonic clock, in ms. */
  readonly now = (): number => performance.now();

  /** Sends commands in one go; each has its own reply. */
  async batch(commands: readonly Command[]): Promise<Reply[]> {
    if (commands.length === 0) return [];
    this.breakers.asked(commands);
    const replies = await (this.session?.batch(commands) ?? commands.map(() => unsent()));
    this.breakers.replied(commands, replies, this.now());
    const { writes } = this.pauses;
    if (writes.active && commands.some(([name], i) => !LOOKS.has(name) && isTaken(replies[i] ?? null))) writes.over();
    return replies;
  }

  /** One command. Throws the RedisFault that its reply is. */
  async call(command: Command): Promise<Reply> {
    const [reply = null] = await this.batch([command]);
    if (isFault(reply)) throw reply;
    return reply;
  }

  /** Commands in one go. Throws the first RedisFault among their replies. */
  async callAll(commands: readonly Command[]): Promise<Reply[]> {
    if (commands.length === 0) return [];
    const replies = await this.batch(commands);
    const fault = replies.find(isFault);
    if (fault !== undefined) throw fault;
    return replies;
  }

  /** From now on answers are written by single commands (RIPC-RESP-26). */
  multiRefused(): void {
    this.singly = true;
  }

  /** An entry ID that Redis gave. */
  saw(entryId: string): void {
    if (compareIds(entryId, this.highest) > 0) this.highest = entryId;
  }

  /**
   * Runs what is worth nothing without Redis: a fault ends it, and has been dealt with by the session. What it was about
   * is found again by recovery, or by the next turn.
   */
  attempt(work: () => Promise<void>): Promise<void> {
    return work().catch((error: unknown) => {
      if (!isFault(error)) throw error;
      if (error.kind === "unknown") this.session?.break(error); // a reply that makes no sense
    });
  }
}

/** Commands that Redis answers also while it refuses all writes. */
const LOOKS: ReadonlySet<string> = new Set(["XPENDING", "XRANGE", "XINFO", "LRANGE", "GET", "TIME", "INFO", "MULTI", "PUBLISH", "CLIENT"]);

function isTaken(reply: Reply): boolean {
  return !isFault(reply) && !(Buffer.isBuffer(reply) && reply.toString("latin1") === "QUEUED");
}

function unsent(): RedisFault {
  return new RedisFault("unsent", "there is no connection to Redis");
}
