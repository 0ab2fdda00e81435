import { debuglog } from "node:util";

import { RequestCancelled, TooManyOutstanding } from "../errors.js";
import type { Outcome } from "../outcome.js";
import { waitAtMost } from "../redis/wait.js";
import { adviceAbout } from "../wire/advice.js";
import type { Response } from "../wire/entry.js";
import type { RedisFault } from "../wire/faults.js";
import { newRequestId } from "../wire/names.js";
import { onceAborted } from "./abort.js";
import { EarlyEnd } from "./early-end.js";
import { LastLook } from "./last-look.js";
import { Ledger, Send } from "./ledger.js";
import type { RequesterPort, SharedWith } from "./ports.js";

/** A line for each request, where NODE_DEBUG names redisipc. */
const debug = debuglog("redisipc");

/** The sending half of an endpoint: from a call to its outcome (SPEC.md sections 8 and 10). */
export class Requester implements RequesterPort {
  readonly ledger = new Ledger();
  private readonly lastLook: LastLook;
  private readonly earlyEnd: EarlyEnd;
  private whenIdle: (() => void)[] = [];

  constructor(private readonly shared: SharedWith<"writer" | "requester" | "ownList">) {
    this.lastLook = new LastLook(shared, (send) => {
      this.timedOut(send);
    });
    this.earlyEnd = new EarlyEnd(shared, (send, text) => {
      this.end(send, { status: "no-responders", finding: { text } });
    });
  }

  /** Throws TooManyOutstanding; else ends with the one outcome of the request. */
  send(group: string, content: string, timeoutMs: number, signal: AbortSignal | undefined, id = newRequestId()): Promise<Outcome> {
    const { maxOutstanding } = this.shared.options;
    if (this.ledger.size >= maxOutstanding) {
      throw new TooManyOutstanding(`${maxOutstanding} requests are outstanding: wait for some, or raise maxOutstanding`);
    }
    if (signal?.aborted) throw new RequestCancelled("the send was cancelled before it began", { cause: signal.reason });
    return new Promise((resolve) => {
      const onAbort = () => {
        this.end(send, { status: "cancelled" });
      };
      const { observing } = this.shared.reporter;
      const observed = observing?.sent(id, group);
      const now = this.shared.now();
      const send = new Send(id, group, content, now + timeoutMs, (outcome) => {
        forget?.();
        if (observed !== undefined) observing?.ended(observed, outcome);
        resolve(outcome);
      });
      send.sentAt = now;
      const forget = signal && onceAborted(signal, onAbort);
      this.ledger.add(send);
      this.arm(send);
      this.shared.writer.add(send);
      this.shared.ownList.expectMore();
      this.shared.pace.wake();
    });
  }

  /** A response to a request in the ledger (RIPC-ROUTE-5). */
  deliver(response: Response): void {
    const send = this.ledger.find(response.id);
    if (send !== undefined) this.finish(send, { status: response.status, content: response.content });
  }

  /** XADD was answered. */
  stored(send: Send, entryId: string): void {
    send.underWay = false;
    send.entryId = entryId;
    if (send.state === "sending") {
      send.state = "waiting";
      this.earlyEnd.stored(send);
    } else if (send.finished) this.shared.writer.remove(entryId);
  }

  /** XADD was refused, or not sent, for a reason that passes: it is written later, if time allows (RIPC-REQ-14). */
  notStored(send: Send, why = send.refusal): void {
    send.underWay = false;
    send.refusal = why;
    if (send.state === "sending") {
      send.state = "queued";
      this.shared.writer.add(send);
    }
  }

  /** XADD was refused for good. */
  refused(send: Send, fault: RedisFault): void {
    send.underWay = false;
    this.finish(send, { status: "failed", message: `Redis refused to store it: ${fault.message}${adviceAbout(fault.message)}`, cause: fault });
  }

  /** The connection broke before XADD was answered: it is not written again (RIPC-REQ-3). */
  unsure(send: Send): void {
    send.underWay = false;
    if (send.state === "sending") send.state = "unsure";
    else if (send.finished) this.lastLook.forget(send);
  }

  /** Ends all that is outstanding (RIPC-LIFE-15). */
  cancelAll(): void {
    for (const send of this.ledger.all()) this.end(send, { status: "cancelled" });
  }

  /** Connected again: looks for requests that nobody waits for any more and that may have been stored. */
  recovered(): void {
    this.lastLook.sweep();
  }

  /** Resolved when nothing is outstanding. */
  idle(): Promise<void> {
    return this.ledger.size === 0 ? Promise.resolve() : new Promise((resolve) => this.whenIdle.push(resolve));
  }

  /** Ends a send without a response, and has its request deleted (RIPC-TIME-5, RIPC-REQ-12). */
  private end(send: Send, outcome: Outcome): void {
    const { state } = send;
    if (!this.finish(send, outcome)) return;
    if (send.entryId !== undefined) {
      if (!send.deleted) this.shared.writer.remove(send.entryId);
    }
    else if (state !== "queued" && !send.underWay && !send.absent) this.lastLook.forget(send);
    // Under way: stored() or unsure() sees that it is finished.
  }

  private finish(send: Send, outcome: Outcome): boolean {
    if (send.state === "queued") this.shared.writer.dropAdd(send);
    if (!this.ledger.finish(send, outcome)) return false;
    const { status } = outcome;
    if (status === "timeout" || status === "no-responders") this.shared.counts.timeouts++;
    debug("request %s to %s: %s", send.id, send.group, status);
    if (this.ledger.size === 0) for (const resolve of this.whenIdle.splice(0)) resolve();
    return true;
  }

  private arm(send: Send): void {
    const left = send.deadline - this.shared.now();
    if (left <= 0) {
      this.due(send);
      return;
    }
    // A timer may fire early by a fraction: the clock decides, so it is armed again.
    send.timer = setTimeout(() => {
      this.arm(send);
    }, waitAtMost(left));
  }

  private due(send: Send): void {
    const written = send.state !== "queued";
    if (written && this.shared.reachable) {
      send.state = "looking";
      this.lastLook.at(send);
    } else this.timedOut(send);
  }

  private timedOut(send: Send): void {
    this.end(send, { status: "timeout", finding: this.lastLook.diagnoser.of(send) });
  }
}
