import { findingOf } from "../core/diagnosis.js";
import { Sizes } from "../core/sizes.js";
import type { Outcome } from "../outcome.js";
import { adviceAbout } from "../wire/advice.js";
import * as commands from "../wire/commands.js";
import type { Command } from "../wire/commands.js";
import { type Entry, entryOf } from "../wire/entry.js";
import { FIRST, compareIds } from "../wire/entry-id.js";
import { type RedisFault, isFault } from "../wire/faults.js";
import { type Reply, groupNames, list, text } from "../wire/replies.js";
import type { Question, Turn } from "./turn.js";

/** After the request was stored, in ms: nobody asks sooner whether its group exists; and between two looks (RIPC-REQ-16). */
export const EARLY_END_MS = 500;
const CALLER_PAGE = 100;
/** A look stops after this time, in ms, however many entries follow (RIPC-TIME-8). */
const LOOK_LIMIT_MS = 500;
/** A reply is waited for so long beyond the deadline, in ms; then the last look has a new connection. */
const REPLY_GRACE_MS = 400;
/** After the deadline, in ms: it ends then in any case (RIPC-TIME-4 allows 1 s). */
const LATEST_MS = 900;
/** A deletion may take so long, in ms, once the outcome is known. */
const TIDY_MS = 500;
/** Between attempts to reach Redis, in ms. */
const PAUSES = [50, 100, 200, 400, 800] as const;

/**
 * writing: XADD. finding: XADD was sent, and its reply did not come. waiting: XREAD. looking: the last look. tidying: the
 * outcome is known, and a deletion is left.
 */
type Phase = "writing" | "finding" | "waiting" | "looking" | "tidying";

/**
 * One request of a caller, a requester without a group (SPEC.md section 8a), from the call to its outcome. It does no I/O:
 * its driver asks for a turn, sends its commands, and reports the replies or the loss, until there is an outcome.
 */
export class Call {
  outcome: Outcome | undefined;
  private phase: Phase = "writing";
  private entryId: string | undefined;
  /** Entries after this ID are read. */
  private last: string;
  private readonly sizes = new Sizes();
  private readonly id: Buffer;
  private readonly instance: Buffer;
  private readonly name: Buffer;
  private count = CALLER_PAGE;
  private lookingSince = 0;
  private looked = 0;
  private losses = 0;
  private againAt = 0;
  private fresh = false;
  private refusal = "Redis did not answer";
  /** When to ask whether the group exists; whether this turn asks, and whether the group was missing the last time. */
  private checkAt = Infinity;
  private checking = false;
  private missing = false;
  /** The outcome that is known. It is reported when the entry that it leaves is deleted. */
  private decided: Outcome | undefined;
  private leaves: string | undefined;
  /** The outcome if the last look finds nothing. */
  private otherwise: Outcome = { status: "timeout" };
  /** The last look also asks for the groups, to learn why there is no answer. */
  private asksWhy = false;
  private end: number;

  constructor(
    private readonly question: Question,
    /** The highest entry ID that is known: the request's own will be higher (RIPC-TIME-14). */
    public highest: string = FIRST,
    /** Whether a group that does not exist ends it (RIPC-REQ-16). */
    public earlyEnd = true,
  ) {
    this.last = highest;
    this.id = Buffer.from(question.id);
    this.instance = Buffer.from(question.instance);
    this.name = Buffer.from(`caller:${question.instance}`);
    this.end = question.deadline + LATEST_MS;
  }

  /** What comes next; undefined when there is an outcome. */
  turn(now: number): Turn | undefined {
    const { deadline } = this.question;
    // First: a process that stood still comes here after both moments.
    if (this.phase === "writing" && now >= deadline) this.finish(failed(`it could not be written in time: ${this.refusal}`));
    if (this.outcome === undefined && now >= this.end) this.finish(this.late());
    if (this.outcome !== undefined) return undefined;
    if (this.phase === "waiting" && now >= deadline) this.look(now, { status: "timeout" });
    const [lines, blockMs] = this.lines(now);
    const beforeTheLook = this.phase === "writing" || this.phase === "waiting";
    const limit = beforeTheLook ? Math.min(this.end, deadline + REPLY_GRACE_MS) : this.end;
    const at = Math.min(this.againAt, now < deadline ? deadline : this.end, limit);
    return { commands: lines, at, blockMs, limit, fresh: this.fresh };
  }

  /** The replies to a turn, one for each of its commands. Throws the fault of a reply that makes no sense. */
  replied(replies: readonly Reply[], now: number): void {
    this.losses = 0;
    this.againAt = now;
    this.fresh = false;
    switch (this.phase) {
      case "writing":
        this.written(replies[0] ?? null, now);
        break;
      case "finding":
        this.find(replies[0] ?? null, now);
        break;
      case "waiting":
        this.read(replies[0] ?? null, now);
        break;
      case "looking":
        if (this.asksWhy) this.explain(replies.at(-1) ?? null);
        this.seen(replies.at(this.asksWhy ? -2 : -1) ?? null, now);
        break;
      case "tidying":
        this.finish(this.late());
    }
  }

  /**
   * There was no connection, or it broke before all replies came. `sent`: the commands, or parts of them, may have reached
   * Redis. Only the user can repair a permanent fault.
   */
  lost(sent: boolean, fault: RedisFault, now: number): void {
    this.refusal = fault.message;
    if (fault.kind === "permanent") this.finish(this.decided ?? failed(`Redis refuses this caller: ${fault.message}`, fault));
    else if (this.phase === "writing" && sent) {
      // Never again: the caller looks whether it is stored (RIPC-ASK-9).
      this.phase = "finding";
      this.beginLook(now);
    } else if ((this.phase === "looking" || this.phase === "tidying") && this.losses > 0) {
      this.finish(this.late()); // it was tried on a new connection as well
    }
    this.away(now);
  }

  /** The caller no longer waits. A request that may be stored is deleted, if that works soon (RIPC-ASK-6). */
  cancel(now: number): void {
    if (this.decided === undefined && this.outcome === undefined) {
      this.decided = { status: "cancelled" };
      // The response may be there already, and nobody else would delete it.
      if (this.entryId !== undefined) this.look(now, this.decided);
      else if (this.phase === "writing") this.finish(this.decided);
    }
    this.end = Math.min(this.end, now + TIDY_MS);
    this.losses = 0;
    this.againAt = now;
    this.fresh = true;
  }

  private lines(now: number): [Command[], blockMs: number] {
    const { question } = this;
    if (this.phase === "writing") {
      const { id, instance, content, group } = question; // RIPC-ASK-1, 2
      return [[commands.add(question, [id, instance, "pending", content, `caller:${instance}`, group])], 0];
    }
    if (this.phase === "tidying") return [[commands.remove(question, [this.leaves!])], 0];
    this.count = this.sizes.count(CALLER_PAGE);
    if (this.phase === "waiting") {
      this.checking = now >= this.checkAt;
      if (this.checking) return [[commands.groups(question)], 0];
      const left = Math.ceil(Math.min(question.deadline, this.checkAt) - now);
      const blockMs = Math.min(commands.BLOCK_MS, Math.max(1, left));
      return [[commands.readAfter(question, this.last, this.count, blockMs)], blockMs];
    }
    const page = commands.range(question, `(${this.last}`, this.count);
    // Deleted first, so that no responder starts it after the look (RIPC-TIME-13).
    const removal = this.phase === "looking" && this.looked === 0 ? [commands.remove(question, [this.entryId!])] : [];
    this.asksWhy = removal.length > 0 && this.earlyEnd && this.decided === undefined;
    return [[...removal, page, ...(this.asksWhy ? [commands.groups(question)] : [])], 0];
  }

  private written(reply: Reply, now: number): void {
    if (isFault(reply)) this.refused(reply, "the request", now);
    else if (reply === null) this.finish(failed(`there is no stream ${this.question.stream}: nobody ever connected to it`));
    else this.stored(text(reply), now);
  }

  private stored(entryId: string, now: number): void {
    // This is the newest entry, even if the stream was made again and its IDs restarted.
    this.entryId = this.last = this.highest = entryId;
    this.phase = "waiting";
    if (this.earlyEnd) this.checkAt = now + EARLY_END_MS;
  }

  /** Whether it was stored, and perhaps answered already (RIPC-ASK-9). */
  private find(reply: Reply, now: number): void {
    if (isFault(reply)) {
      this.refused(reply, "to look for the request", now);
      return;
    }
    const entries = this.mine(reply);
    if (this.take(entries, now)) return;
    const request = entries.find((entry) => entry.kind === "request" && entry.id.equals(this.id));
    if (request !== undefined) {
      this.stored(request.entryId, now);
      if (this.decided !== undefined) this.look(now, this.decided);
    } else if (this.pageOver(reply, now)) {
      this.finish(this.decided ?? failed("the connection broke before it was acknowledged, and it was not found; it may be stored"));
    }
  }

  private read(reply: Reply, now: number): void {
    if (this.checking) this.checked(reply, now);
    else if (isFault(reply)) this.refused(reply, "to read", now);
    else {
      const [stream = null] = reply === null ? [] : list(reply);
      if (stream !== null) this.take(this.mine(list(stream)[1] ?? []), now);
    }
  }

  /** A group is made behind what is stored, so that it never gets this request (RIPC-REQ-16). */
  private checked(reply: Reply, now: number): void {
    if (isFault(reply)) {
      // Without the stream, or without the right, only the timeout ends the request.
      this.earlyEnd = reply.kind !== "permanent";
      this.checkAt = this.earlyEnd ? now + commands.BLOCK_MS : Infinity;
      return;
    }
    const missing = !groupNames(reply).has(this.question.group);
    if (missing && this.missing) this.look(now, { status: "no-responders" });
    // Members make a lost group again at once, where they left off. So a second look decides.
    this.missing = missing;
    this.checkAt = now + (missing ? EARLY_END_MS : commands.BLOCK_MS);
  }

  private explain(groups: Reply): void {
    const finding = findingOf(this.question.group, this.entryId, groups);
    const { status } = this.otherwise;
    if (status === "timeout" || status === "no-responders") this.otherwise = { status, finding };
  }

  private seen(reply: Reply, now: number): void {
    const page = isFault(reply) ? [] : reply;
    if (!this.take(this.mine(page), now) && this.pageOver(page, now)) this.finish(this.late());
  }

  /** Goes through a page, and returns its entries with the id of this call. It does not parse the others. */
  private mine(page: Reply): Entry[] {
    const mine: Entry[] = [];
    let largest = 0;
    for (const row of list(page)) {
      const [entryId, fields = null] = list(row);
      this.last = text(entryId);
      if (compareIds(this.last, this.highest) > 0) this.highest = this.last;
      const flat = fields === null ? [] : (list(fields) as Buffer[]);
      for (const value of flat) largest = Math.max(largest, value.length);
      if (flat.some((value) => value.equals(this.id))) mine.push(entryOf(this.last, flat));
    }
    if (largest > 0) this.sizes.saw(largest);
    return mine;
  }

  /** Whether they contain the response (RIPC-ASK-4, RIPC-REQ-5). */
  private take(entries: readonly Entry[], now: number): boolean {
    for (const entry of entries) {
      if (entry.kind !== "response" || !entry.id.equals(this.id)) continue;
      if (!entry.instance.equals(this.instance) || !entry.destination.equals(this.name)) continue;
      this.decided ??= { status: entry.status, content: entry.content };
      this.tidy(entry.entryId, now); // RIPC-ASK-5
      return true;
    }
    return false;
  }

  private tidy(entryId: string, now: number): void {
    this.phase = "tidying";
    this.leaves = entryId;
    this.end = Math.min(this.end, now + TIDY_MS);
  }

  /** The last look, and the outcome if it finds nothing. */
  private look(now: number, otherwise: Outcome): void {
    this.phase = "looking";
    this.otherwise = otherwise;
    this.beginLook(now);
    this.end = Math.min(this.end, now + LATEST_MS);
  }

  private beginLook(now: number): void {
    this.lookingSince = now;
    this.looked = 0;
  }

  /** Whether the look ends with this page (RIPC-TIME-8). */
  private pageOver(page: Reply, now: number): boolean {
    const { length } = list(page);
    this.looked += length;
    return length < this.count || now - this.lookingSince >= LOOK_LIMIT_MS;
  }

  /** An error reply says that nothing was done, so that trying again repeats nothing. */
  private refused(fault: RedisFault, what: string, now: number): void {
    this.refusal = fault.message;
    // A restart or a failover: a new connection may succeed. UNBLOCKED: another client ended a blocking read.
    if (fault.kind === "outage") this.away(now);
    else if (fault.kind === "group-lost") this.againAt = now + PAUSES[0];
    else {
      const outcome = this.decided ?? failed(`Redis refused ${what}: ${fault.message}${adviceAbout(fault.message)}`, fault);
      if (this.entryId === undefined) this.finish(outcome);
      else {
        this.decided = outcome;
        this.tidy(this.entryId, now);
      }
    }
  }

  private away(now: number): void {
    this.againAt = now + PAUSES[Math.min(this.losses, PAUSES.length - 1)]!;
    this.losses++;
    this.fresh = true;
  }

  /** The outcome if nothing more was found. */
  private late(): Outcome {
    if (this.decided !== undefined) return this.decided;
    if (this.phase !== "finding") return this.otherwise;
    return failed(`the connection broke before it was acknowledged; Redis may have stored it: ${this.refusal}`);
  }

  private finish(outcome: Outcome): void {
    this.outcome ??= outcome;
  }
}

function failed(message: string, cause?: Error): Outcome {
  return { status: "failed", message, cause };
}
