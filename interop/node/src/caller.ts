import { Call } from "./ask/call.js";
import { Slot } from "./ask/slot.js";
import { onceAborted } from "./core/abort.js";
import { encodeContent } from "./content/content.js";
import type { Json } from "./json.js";
import { EndpointClosed, RequestCancelled, TooManyOutstanding } from "./errors.js";
import { checkCount, checkFlag, checkOptions, checkTime, checkTls } from "./given.js";
import { Observing, checkObservers } from "./observing.js";
import { type EndpointOptions, type SendOptions, checkSendOptions } from "./options.js";
import { valueOf } from "./outcome.js";
import { addressOf } from "./redis/address.js";
import { FIRST } from "./wire/entry-id.js";
import { checkName, newInstance, newRequestId } from "./wire/names.js";

export interface CallerOptions extends Pick<EndpointOptions, "url" | "stream" | "tls" | "timeoutMs" | "observers"> {
  /** Sends that may be under way at once; one more throws TooManyOutstanding. Default: 16. */
  readonly maxOutstanding?: number;
  /** Whether a send to a group that does not exist ends as NoResponders before its timeout. Default: true. */
  readonly earlyEnd?: boolean;
}

/**
 * Asks groups on a stream, and belongs to none: for a web request, a job of cron, a lambda (SPEC.md, section 8a). Unlike a
 * Stream it serves nobody, and leaves nothing in Redis between two sends. It connects with the first send.
 *
 * Each send has a connection of its own, which the next one uses again. An unused one does not keep the process alive, and is
 * closed after 10 s. Programs that ask a lot at once, or answer, need a Stream.
 */
export class Caller {
  /** The instance id that its requests carry: 6 hex characters. */
  readonly instance = newInstance();
  private readonly timeoutMs: number;
  private readonly slots: Slot[];
  /** Slots for sends. The slot that was given back last is taken first. */
  private readonly free: Slot[];
  private highest = FIRST;
  private earlyEnd: boolean;
  private closed = false;
  private readonly observing: Observing | undefined;
  /** These give up the sends that are under way. */
  private readonly underWay = new Set<AbortController>();

  /** Throws InvalidArgument. It touches no Redis. */
  constructor(private readonly options: CallerOptions) {
    checkOptions("the options of a Caller", options, ["url", "stream", "tls", "timeoutMs", "maxOutstanding", "earlyEnd", "observers"]);
    const { url, stream, tls, timeoutMs = 5000, maxOutstanding = 16, earlyEnd = true, observers = [] } = options;
    checkName("stream", stream);
    addressOf(url);
    checkTls(tls);
    checkFlag("earlyEnd", earlyEnd);
    checkObservers(observers);
    checkTime("timeoutMs", timeoutMs);
    checkCount("maxOutstanding", maxOutstanding, 1);
    if (observers.length > 0) {
      this.observing = new Observing(observers, (message) => {
        process.emitWarning(message, { type: "RedisIpcWarning", code: "observer" });
      });
    }
    this.timeoutMs = timeoutMs;
    this.earlyEnd = earlyEnd;
    this.slots = Array.from({ length: maxOutstanding }, () => new Slot({ url, ...(tls === undefined ? {} : { tls }) }));
    this.free = [...this.slots];
  }

  /**
   * Asks a group, and waits for the answer of one of its members.
   *
   * Throws RequestRejected, RequestTimeout, NoResponders, RequestCancelled, and, before anything is written, InvalidArgument,
   * UnsendableValue, TooManyOutstanding and EndpointClosed. RequestFailed: its message says whether the request may be stored.
   */
  async send(group: string, value: unknown, options: SendOptions = {}): Promise<Json> {
    checkSendOptions("the options of a send", options);
    const { timeoutMs = this.timeoutMs, signal } = options;
    checkName("group", group);
    checkTime("timeoutMs", timeoutMs);
    const content = encodeContent(value);
    if (this.closed) throw new EndpointClosed();
    if (signal?.aborted === true) throw new RequestCancelled("the send was cancelled before it began", { cause: signal.reason });
    const slot = this.free.pop();
    if (slot === undefined) {
      throw new TooManyOutstanding(`${this.slots.length} sends are under way: wait for some, or raise maxOutstanding`);
    }
    const { stream } = this.options;
    const deadline = performance.now() + timeoutMs;
    const requestId = newRequestId();
    const question = { stream, instance: this.instance, id: requestId, group, content, deadline };
    const call = new Call(question, this.highest, this.earlyEnd);
    const controller = new AbortController();
    this.underWay.add(controller);
    const forget = signal && onceAborted(signal, () => {
      controller.abort();
    });
    const observed = this.observing?.sent(requestId, group);
    try {
      const outcome = await slot.converse(call, controller.signal);
      if (observed !== undefined) this.observing?.ended(observed, outcome);
      return valueOf(outcome, { group, requestId, timeoutMs, signal });
    } finally {
      forget?.();
      this.underWay.delete(controller);
      this.highest = call.highest;
      this.earlyEnd &&= call.earlyEnd;
      if (this.closed) slot.drop();
      this.free.push(slot);
    }
  }

  /** Ends the connections. What is under way ends as RequestCancelled, and its request is deleted. */
  close(): void {
    this.closed = true;
    for (const controller of this.underWay) controller.abort();
    for (const slot of this.free) slot.drop();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
