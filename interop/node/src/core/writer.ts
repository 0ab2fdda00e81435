import { waitAtMost } from "../redis/wait.js";
import * as commands from "../wire/commands.js";
import type { Command, FieldValues } from "../wire/commands.js";
import { RedisFault, isFault, isForGood } from "../wire/faults.js";
import { type Reply, text } from "../wire/replies.js";
import { Cleanup, type Step } from "./cleanup.js";
import type { Held } from "./held.js";
import type { Send } from "./ledger.js";
import { LEAST_MS } from "./refusal-pauses.js";
import { BATCH_BYTES } from "./sizes.js";
import type { SharedWith, WriterPort } from "./ports.js";
import { resultsOf } from "./transaction.js";

/** Requests and answers a batch. */
const MOST_A_BATCH = 512;
/** After which time what failed for a reason of its own is tried again, in ms. */
const AGAIN_MS = 1000;
/** How long entries for other groups wait to be acknowledged, since nobody waits for that, in ms (RIPC-ROUTE-13). */
export const SKIPPED_MS = 250;

/**
 * All that is to be written, collected for one turn of the event loop and sent in one go, bounded in bytes. What Redis refuses
 * for a while is kept and sent again after a pause: requests and answers only where it is known that they were not written.
 */
export class Writer implements WriterPort {
  private readonly adds = new Set<Send>();
  private answers: Held[] = [];
  /** Answers whose write broke the connection, or that Redis refused: each is written alone (RIPC-RESP-25). */
  private readonly alone: Held[] = [];
  private readonly cleanup: Cleanup;
  private scheduled = false;
  private underWay = 0;
  /** Content that was sent and not replied to yet, in bytes. */
  private bytes = 0;
  private aloneUnderWay = false;
  private alarm: NodeJS.Timeout | undefined;
  /** Acknowledges what was skipped. */
  private skipped: NodeJS.Timeout | undefined;
  /** The end of the pause in which Redis takes no writes, as it was when the writer began to wait for it. */
  private resumeAt: number | undefined;
  /** When it last wrote, by its own clock in ms. */
  private triedAt = -Infinity;
  private whenDone: (() => void)[] = [];

  constructor(private readonly shared: SharedWith<"requester" | "responder" | "registration" | "ownEntries">) {
    this.cleanup = new Cleanup(shared);
  }

  add(send: Send): void {
    this.adds.add(send);
    this.kick();
  }

  dropAdd(send: Send): void {
    this.adds.delete(send);
  }

  answer(held: Held): void {
    (held.attempts > 0 ? this.alone : this.answers).push(held);
    this.kick();
  }

  /** Nothing more is answered: the endpoint leaves. */
  dropAnswers(): void {
    this.answers = [];
    this.alone.length = 0;
  }

  acknowledge(entryId: string): void {
    this.cleanup.add(entryId, undefined);
    this.kick();
  }

  /**
   * Acknowledges what is nothing to this group: with the next batch, or later than others. An idle group on a busy stream would else write
   * for every few entries that it reads.
   */
  skip(entryId: string): void {
    this.cleanup.add(entryId, undefined);
    if (this.skipped !== undefined) return;
    this.skipped = setTimeout(() => {
      this.skipped = undefined;
      this.flush();
    }, SKIPPED_MS);
    this.skipped.unref();
  }

  remove(entryId: string): void {
    this.cleanup.add(undefined, entryId);
    this.kick();
  }

  settle(entryId: string): void {
    this.cleanup.add(entryId, entryId);
    this.kick();
  }

  /** Whether an entry waits to be acknowledged: it has been dealt with. */
  isSettling(entryId: string): boolean {
    return this.cleanup.has(entryId);
  }

  /** Writes soon. */
  kick(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  /** Writes after a pause. */
  kickIn(ms: number): void {
    clearTimeout(this.alarm);
    this.alarm = setTimeout(() => {
      this.flush();
    }, waitAtMost(ms));
    this.alarm.unref();
  }

  /** Resolved when nothing is left to be written. */
  done(): Promise<void> {
    if (this.isDone) return Promise.resolve();
    this.kick();
    return new Promise((resolve) => this.whenDone.push(resolve));
  }

  private get isDone(): boolean {
    return this.underWay === 0 && this.adds.size + this.answers.length + this.alone.length + this.cleanup.size === 0;
  }

  private flush(): void {
    const { shared } = this;
    const { pauses } = shared;
    if (!shared.live || this.aloneUnderWay) return;
    const now = shared.now();
    const least = pauses.writes.active ? this.triedAt + LEAST_MS : -Infinity;
    if (now < Math.max(pauses.writes.until, least)) {
      // At its end the read of new entries may be refused first and make the next pause: the writer still has its turn.
      // Where it had its turn late, it does not write again right after it.
      this.resumeAt = Math.max(Math.min(pauses.writes.until, this.resumeAt ?? Infinity), least);
      if (now < this.resumeAt) {
        this.kickIn(this.resumeAt - now);
        return;
      }
    }
    this.resumeAt = undefined;
    clearTimeout(this.skipped);
    this.skipped = undefined;
    const steps = this.cleanup.take(() => {
      this.kickIn(AGAIN_MS);
    });
    const again = this.cleanup.againIn(now);
    if (again !== undefined) this.kickIn(again);
    if (!shared.regrouping) {
      if (now < pauses.memory.until) this.kickIn(pauses.memory.until - now);
      else steps.push(...this.takeContents(now));
    }
    if (steps.length === 0) return;
    this.triedAt = now;
    void this.send(steps);
  }

  /** Requests and answers: what adds to the stream. */
  private takeContents(now: number): Step[] {
    const { shared } = this;
    const steps: Step[] = [];
    if (this.adds.size > 0) {
      const wait = shared.registration.mayAddIn(now);
      if (wait > 0) this.kickIn(wait);
      else steps.push(...this.takeAdds());
    }
    if (shared.pauses.lacks("answers", now)) this.kickIn(shared.pauses.right("answers").until - now);
    else if (this.alone.length > 0 && this.underWay === 0 && steps.length === 0) steps.push(...this.takeAlone());
    else if (this.answers.length > 0) steps.push(...this.takeAnswers());
    return steps;
  }

  private async send(steps: Step[]): Promise<void> {
    this.underWay++;
    const replies = await this.shared.batch(steps.flatMap((step) => step.commands));
    let at = 0;
    for (const { commands: some, done } of steps) {
      const own = replies.slice(at, at + some.length);
      try {
        done(own);
      } catch (error) {
        if (!isFault(error)) throw error;
        // A reply that makes no sense: what it was about is not known, and the connection is of no more use.
        this.shared.session?.break(error);
        done(own.map(() => new RedisFault("lost", error.message)));
      }
      at += some.length;
    }
    this.underWay--;
    if (this.isDone) for (const resolve of this.whenDone.splice(0)) resolve();
    else if (this.adds.size + this.answers.length + this.alone.length > 0) this.kick();
  }

  private takeAdds(): Step[] {
    const { names, highest } = this.shared;
    const some = this.upTo(this.adds, (send) => send.content.length);
    const lines = some.map((send) => {
      this.adds.delete(send);
      send.state = "sending";
      send.underWay = true;
      send.floor = highest;
      return commands.add(names, [send.id, names.instance, "pending", send.content, names.group, send.group]);
    });
    if (some.length === 0) return [];
    const size = some.reduce((sum, send) => sum + send.content.length, 0);
    // A request to its own group is for whichever member reads it first.
    const toOthers = some.every(({ group }) => group !== names.group);
    const transaction = toOthers ? this.shared.ownEntries.wrap(lines, some.length, size) : undefined;
    const step = this.counted(size, transaction?.commands ?? lines, (replies) => {
      const results = transaction === undefined ? replies : resultsOf(transaction.take(replies), some.length);
      if (transaction !== undefined && isFault(replies[0]) && isForGood(replies[0].kind)) this.shared.multiRefused();
      some.forEach((send, i) => {
        this.added(send, results[i]);
      });
      transaction?.received();
    });
    return [step];
  }

  /** `reply`: to its XADD; undefined where it was queued in vain, with another one that Redis refused. */
  private added(send: Send, reply: Reply | undefined): void {
    const { requester, pauses } = this.shared;
    if (reply === undefined) requester.notStored(send);
    else if (reply === null) {
      // The stream is gone.
      this.shared.session?.noticeGroupLost();
      requester.notStored(send, "the stream is gone");
    } else if (!isFault(reply)) {
      const entryId = text(reply);
      pauses.memory.over();
      this.shared.saw(entryId);
      requester.stored(send, entryId);
    } else if (reply.kind === "lost") requester.unsure(send);
    else if (isForGood(reply.kind)) requester.refused(send, reply);
    else requester.notStored(send, reply.message);
  }

  private takeAlone(): Step[] {
    const held = this.alone.shift();
    if (held?.state !== "answering") return [];
    this.aloneUnderWay = true;
    const { commands: some, done } = this.answerStep([held]);
    return [
      {
        commands: some,
        done: (replies) => {
          this.aloneUnderWay = false;
          this.kick(); // what was to be written meanwhile
          done(replies);
        },
      },
    ];
  }

  private takeAnswers(): Step[] {
    const waiting = this.answers.filter((held) => held.state === "answering");
    const some = this.upTo(waiting, (held) => held.answer?.content.length ?? 0);
    this.answers = waiting.slice(some.length);
    return some.length === 0 ? [] : [this.answerStep(some)];
  }

  private answerStep(some: Held[]): Step {
    const { names, singly, responder, ownEntries } = this.shared;
    const values = some.map((held) => responseTo(held, names.group));
    const size = some.reduce((sum, held) => sum + (held.answer?.content.length ?? 0), 0);
    const ids = some.map((held) => held.entryId);
    if (!singly) {
      const lines = commands.answers(names, values, ids);
      // The response to a member of its own group is for that member. What may break the connection leaves alone.
      const toOthers = some.every(({ request, attempts }) => attempts === 0 && request.source.toString() !== names.group);
      const transaction = toOthers ? ownEntries.wrap(lines.slice(1, -1), some.length, size) : undefined;
      return this.counted(size, transaction?.commands ?? lines, (replies) => {
        const own = transaction === undefined ? replies : transaction.take(replies);
        if (own !== undefined) responder.answers.written(some, own);
        else for (const held of some) this.answer(held);
        transaction?.received();
      });
    }
    return this.counted(size, values.map((one) => commands.add(names, one)), (replies) => {
      responder.answers.writtenSingly(some, replies);
    });
  }

  /** From the first on, as many as one batch has, and about as many bytes; at least one where none are under way. */
  private upTo<T>(items: Iterable<T>, size: (item: T) => number): T[] {
    const some: T[] = [];
    let bytes = this.bytes;
    for (const item of items) {
      bytes += size(item);
      if (some.length === MOST_A_BATCH || (bytes > BATCH_BYTES && (some.length > 0 || this.bytes > 0))) break;
      some.push(item);
    }
    return some;
  }

  private counted(size: number, some: Command[], done: (replies: Reply[]) => void): Step {
    this.bytes += size;
    let counts = true;
    return {
      commands: some,
      done: (replies) => {
        if (counts) this.bytes -= size;
        counts = false;
        done(replies);
      },
    };
  }
}

/** RIPC-ENTRY-7 to 10: the request's own bytes, exchanged. */
function responseTo({ request, answer }: Held, group: string): FieldValues {
  const { status, content } = answer ?? { status: "rejected", content: "" };
  return [request.id, request.instance, status, content, group, request.source];
}
