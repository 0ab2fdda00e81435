import { Backoff } from "../redis/backoff.js";
import * as commands from "../wire/commands.js";
import type { Command, FieldValues } from "../wire/commands.js";
import { RedisFault, isFault } from "../wire/faults.js";
import { type Reply, text } from "../wire/replies.js";
import type { Held } from "./held.js";
import type { Hub } from "./hub.js";
import type { Send } from "./ledger.js";

/** Entry IDs a command, and answers a transaction. */
const IDS_A_COMMAND = 500;
const ANSWERS_A_MULTI = 64;

/** What becomes of a batch, reply by reply. */
interface Batch {
  readonly commands: Command[];
  readonly handlers: { readonly count: number; readonly handle: (replies: Reply[]) => void }[];
}

/**
 * All that is to be written, collected for one turn of the event loop and sent in one go. What fails for a passing reason is
 * kept and sent again: acknowledgements and deletions always (RIPC-RECOV-13), requests and answers where it is known that
 * they were not written.
 */
export class Writer {
  private readonly adds = new Set<Send>();
  private answers: Held[] = [];
  private readonly acks = new Set<string>();
  private readonly dels = new Set<string>();
  /** Acknowledgements and deletions under way. */
  private readonly settling = new Set<string>();
  private scheduled = false;
  private underWay = 0;
  private pausedUntil = 0;
  private alarm: NodeJS.Timeout | undefined;
  private readonly pause = new Backoff(50, 1000);
  private whenDone: (() => void)[] = [];

  constructor(private readonly hub: Hub) {}

  add(send: Send): void {
    this.adds.add(send);
    this.kick();
  }

  dropAdd(send: Send): void {
    this.adds.delete(send);
  }

  answer(held: Held): void {
    this.answers.push(held);
    this.kick();
  }

  acknowledge(entryId: string): void {
    this.acks.add(entryId);
    this.kick();
  }

  remove(entryId: string): void {
    this.dels.add(entryId);
    this.kick();
  }

  settle(entryId: string): void {
    this.acks.add(entryId);
    this.dels.add(entryId);
    this.kick();
  }

  /** Whether an entry waits to be acknowledged: it has been dealt with. */
  isSettling(entryId: string): boolean {
    return this.acks.has(entryId) || this.settling.has(entryId);
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

  /** Resolved when nothing is left to be written. */
  done(): Promise<void> {
    return this.isDone ? Promise.resolve() : new Promise((resolve) => this.whenDone.push(resolve));
  }

  private get isDone(): boolean {
    return this.underWay === 0 && this.adds.size + this.answers.length + this.acks.size + this.dels.size === 0;
  }

  private flush(): void {
    const batch: Batch = { commands: [], handlers: [] };
    if (this.hub.live) {
      this.takeIds(batch);
      if (this.isPaused()) this.wakeAfterPause();
      else if (!this.hub.regrouping) {
        this.takeAdds(batch);
        this.takeAnswers(batch);
      }
    }
    if (batch.commands.length > 0) void this.send(batch);
  }

  private async send(batch: Batch): Promise<void> {
    this.underWay++;
    const replies = await this.hub.batch(batch.commands);
    let at = 0;
    for (const { count, handle } of batch.handlers) {
      const own = replies.slice(at, at + count);
      try {
        handle(own);
      } catch (error) {
        if (!isFault(error)) throw error;
        // A reply that makes no sense: what it was about is not known, and the connection is of no more use.
        this.hub.session?.break(error);
        handle(own.map(() => new RedisFault("lost", error.message)));
      }
      at += count;
    }
    this.underWay--;
    if (this.isDone) for (const resolve of this.whenDone.splice(0)) resolve();
  }

  private takeIds(batch: Batch): void {
    const takes: [Set<string>, (ids: string[]) => Command][] = [
      [this.acks, (ids) => commands.acknowledge(this.hub.names, ids)],
      [this.dels, (ids) => commands.remove(this.hub.names, ids)],
    ];
    for (const [set, command] of takes) {
      const all = [...set];
      set.clear();
      for (let i = 0; i < all.length; i += IDS_A_COMMAND) {
        const ids = all.slice(i, i + IDS_A_COMMAND);
        for (const id of ids) this.settling.add(id);
        this.put(batch, [command(ids)], ([reply]) => {
          for (const id of ids) this.settling.delete(id);
          if (!isFault(reply)) return;
          for (const id of ids) set.add(id);
          this.later(reply);
        });
      }
    }
  }

  private takeAdds(batch: Batch): void {
    const { names, session } = this.hub;
    const ready = [...this.adds];
    this.adds.clear();
    for (const send of ready) {
      send.state = "sending";
      send.underWay = true;
      send.sentAt = session?.redisTime;
      const values: FieldValues = [send.id, names.instance, "pending", send.content, names.group, send.group];
      this.put(batch, [commands.add(names, values)], ([reply = null]) => {
        this.added(send, reply);
      });
    }
  }

  private added(send: Send, reply: Reply): void {
    const { requester } = this.hub;
    if (reply === null) {
      // The stream is gone.
      this.hub.session?.noticeGroupLost();
      requester.notStored(send);
    } else if (!isFault(reply)) {
      this.pause.reset();
      requester.stored(send, text(reply));
    } else if (reply.kind === "lost") requester.unsure(send);
    else if (reply.kind === "permanent") requester.refused(send, reply);
    else {
      if (reply.kind === "refusal") this.later(reply);
      requester.notStored(send);
    }
  }

  private takeAnswers(batch: Batch): void {
    const { names } = this.hub;
    const ready = this.answers.splice(0).filter((held) => held.state === "answering");
    for (let i = 0; i < ready.length; i += ANSWERS_A_MULTI) {
      const some = ready.slice(i, i + ANSWERS_A_MULTI);
      const values = some.map((held) => responseTo(held, names.group));
      const multi = commands.answers(names, values, some.map((held) => held.entryId));
      this.put(batch, multi, (replies) => {
        this.answered(some, replies);
      });
    }
  }

  private answered(some: Held[], replies: Reply[]): void {
    const { responder } = this.hub;
    const exec = replies.at(-1) ?? null;
    if (Array.isArray(exec)) {
      some.forEach((held, i) => {
        const reply = exec[i] ?? null;
        if (reply === null) {
          this.hub.session?.noticeGroupLost();
          this.answer(held);
        } else if (isFault(reply)) responder.answerRefused(held, reply);
        else {
          this.pause.reset();
          responder.answered(held);
        }
      });
      return;
    }
    if (isFault(exec) && exec.kind === "lost") {
      for (const held of some) responder.answerUnsure(held);
      return;
    }
    // Nothing was done. Why: the reply to EXEC says it, or the one to the command that was refused.
    const refused = isFault(exec) && exec.kind === "aborted" ? replies.find((reply) => isFault(reply) && reply !== exec) : exec;
    const fault = isFault(refused) ? refused : new RedisFault("unknown", "EXEC was discarded");
    if (fault.kind === "refusal") this.later(fault);
    for (const held of some) responder.answerRefused(held, fault);
  }

  /** Tries again after a growing pause. What broke the connection is not for here: recovery kicks. */
  private later(fault: RedisFault): void {
    if (fault.kind !== "refusal" && fault.kind !== "permanent") return;
    if (!this.isPaused()) this.pausedUntil = this.hub.now() + this.pause.next();
    this.wakeAfterPause();
  }

  private isPaused(): boolean {
    return this.hub.now() < this.pausedUntil;
  }

  /** A timer may come early by a fraction: then the flush arms it again. */
  private wakeAfterPause(): void {
    clearTimeout(this.alarm);
    this.alarm = setTimeout(() => {
      this.flush();
    }, Math.ceil(this.pausedUntil - this.hub.now()));
    this.alarm.unref();
  }

  private put(batch: Batch, some: Command[], handle: (replies: Reply[]) => void): void {
    batch.commands.push(...some);
    batch.handlers.push({ count: some.length, handle });
  }
}

/** RIPC-ENTRY-7 to 10: the request's own bytes, exchanged. */
function responseTo({ request, answer }: Held, group: string): FieldValues {
  const { status, content } = answer ?? { status: "rejected", content: "" };
  return [request.id, request.instance, status, content, group, request.source];
}
