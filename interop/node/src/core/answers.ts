import { encodeContent } from "../content/content.js";
import { type RedisFault, RedisFault as Fault, isFault, isForAWhile, isForGood } from "../wire/faults.js";
import type { ReasonCode } from "../reasons.js";
import { type Reply, text } from "../wire/replies.js";
import type { Answer, Held } from "./held.js";
import type { AnswersPort, SharedWith } from "./ports.js";

/** An answer that Redis refuses for a while is kept for so long, in ms (RIPC-RESP-15). */
export const ANSWER_KEPT_MS = 60_000;
/** An answer is given up after it broke the connection, or got an unknown error, so many times (RIPC-RESP-25). */
export const MOST_ATTEMPTS = 3;

/** An answer's way from the handler, or from the responder itself, to Redis' last reply. */
export class Answers implements AnswersPort {
  private refusals = false;

  constructor(private readonly shared: SharedWith<"writer" | "responder">) {}

  /** Whether answers wait that Redis refused: no new entries are read meanwhile (RIPC-RESP-16). */
  get refused(): boolean {
    this.refusals &&= this.shared.responder.all().some((held) => held.state === "answering");
    return this.refusals;
  }

  add(held: Held, answer: Answer): void {
    held.state = "answering";
    held.answer = answer;
    held.answeredAt = this.shared.now();
    this.shared.writer.answer(held);
  }

  /** The endpoint rejects by itself, which it reports (RIPC-RESP-22). */
  refuse(held: Held, code: ReasonCode, text: string): void {
    this.refuseWith(held, code, `${code}: ${text}`);
  }

  /** Likewise, with the whole reason. */
  refuseWith(held: Held, code: ReasonCode, reason: unknown): void {
    this.reject(held, reason);
    this.shared.reporter.refusal(code, held, reason);
  }

  reject(held: Held, reason: unknown): void {
    this.add(held, { status: "rejected", content: encodeContent(reason) });
  }

  /** The replies to MULTI, each XADD, XACK, XDEL, EXEC. */
  written(some: Held[], replies: Reply[]): void {
    const exec = replies.at(-1) ?? null;
    if (Array.isArray(exec)) {
      const settled = !exec.slice(some.length).some(isFault);
      some.forEach((held, i) => {
        const reply = exec[i] ?? null;
        // EXEC ran, so an error in it is about its own command alone: the request may be gone without its answer.
        if (isFault(reply) && settled) held.stranded = true;
        this.added(held, reply);
      });
    } else if (isFault(replies[0]) && isForGood(replies[0].kind)) {
      // Without MULTI, Redis executed the commands one by one. From now on they are sent so (RIPC-RESP-26).
      this.shared.multiRefused();
      this.writtenSingly(some, replies.slice(1, 1 + some.length));
    } else if (isFault(exec) && exec.kind === "lost") for (const held of some) this.unsure(held);
    else {
      // Nothing was done. The reply to EXEC, or to the refused command, says why.
      const refused = isFault(exec) && exec.kind !== "aborted" ? exec : replies.find((reply) => isFault(reply) && reply !== exec);
      if (isFault(refused)) for (const held of some) this.notTaken(held, refused);
      else {
        // A reply that makes no sense says nothing about the answers. Nor will the next one on this connection.
        for (const held of some) this.unsure(held);
        this.shared.session?.break(new Fault("unknown", "Redis answered EXEC with neither a list nor an error"));
      }
    }
  }

  /** The replies to each XADD. A request is settled after its response was stored. */
  writtenSingly(some: Held[], replies: Reply[]): void {
    some.forEach((held, i) => {
      const reply = replies[i] ?? null;
      if (isFault(reply) && reply.kind === "lost") this.unsure(held);
      else {
        if (reply !== null && !isFault(reply)) this.shared.writer.settle(held.entryId);
        this.added(held, reply);
      }
    });
  }

  /** A look showed that the answer was not written, and that its request is still ours (RIPC-RESP-14). */
  notWritten(held: Held): void {
    if (held.state !== "unsure") return;
    held.state = "answering";
    this.attempted(held, `broke the connection ${held.attempts} times`);
  }

  /** Not written, perhaps because of the answer itself: writes it again, or a rejection instead (RIPC-RESP-25). */
  private attempted(held: Held, why: string): void {
    if (held.attempts < MOST_ATTEMPTS) this.shared.writer.answer(held);
    else if (held.replaced) this.drop(held, `the rejection in place of its answer ${why}`);
    else {
      const message = `the answer ${why}`;
      this.tell(held, message);
      held.attempts = 0;
      held.replaced = true;
      this.reject(held, `not_encodable: ${message}`);
    }
  }

  /** The endpoint leaves while Redis refuses these answers. */
  dropRefused(): void {
    this.shared.writer.dropAnswers();
    for (const held of this.shared.responder.all()) {
      if (held.state === "answering") this.drop(held, "its answer could not be written before the endpoint closed");
    }
  }

  private added(held: Held, reply: Reply): void {
    const { pauses, responder } = this.shared;
    if (isFault(reply)) this.notTaken(held, reply);
    else if (reply === null) {
      // The stream is gone with the request. Its requester may still wait, so the answer goes to the new stream.
      held.stranded = true;
      this.shared.session?.noticeGroupLost();
      if (held.state === "answering") this.shared.writer.answer(held);
    } else {
      this.refusals = false;
      pauses.memory.over();
      pauses.granted("answers");
      this.shared.saw(text(reply));
      if (held.answer !== undefined) this.shared.counts[held.answer.status]++;
      responder.leave(held);
    }
  }

  /** The connection broke before the reply: recovery finds out whether it was written. */
  private unsure(held: Held): void {
    if (held.state !== "answering") return;
    held.attempts++;
    held.state = "unsure";
  }

  /** It was not written. */
  private notTaken(held: Held, fault: RedisFault): void {
    if (held.state !== "answering") return;
    const now = this.shared.now();
    if (fault.kind === "unknown") {
      held.attempts++;
      this.attempted(held, `was refused ${held.attempts} times: ${fault.message}`);
      return;
    }
    const counts = isForAWhile(fault.kind) || fault.kind === "permanent";
    if (counts) this.refusals = true;
    if (fault.kind === "permanent") this.shared.pauses.forbidden("answers", fault, now);
    if (counts && now - held.answeredAt >= ANSWER_KEPT_MS) this.drop(held, `its answer could not be written: ${fault.message}`, fault);
    else this.shared.writer.answer(held);
  }

  /** It was run, so no instance may run it again (RIPC-RESP-27). */
  private drop(held: Held, message: string, cause?: unknown): void {
    this.tell(held, message, cause);
    this.shared.writer.settle(held.entryId);
    this.shared.responder.leave(held);
  }

  private tell(held: Held, message: string, cause?: unknown): void {
    this.shared.reporter.problem({ kind: "answer", message: `request ${held.entryId}: ${message}`, entryId: held.entryId, cause });
  }
}
