/** Observers: functions of the user that are told of each request and each handler. */
import { type Context, registeredHere } from "./context.js";
import { decodeContent } from "./content/content.js";
import { InvalidArgument } from "./errors.js";
import { shown } from "./given.js";
import type { Outcome } from "./outcome.js";
import { type ReasonCode, readReason } from "./reasons.js";
import { guarded, told } from "./thrown.js";

/** One thing that happened to a request, or to a handler. It never holds content. */
export interface Observation {
  /**
   * `send_started`, `send_ended`: an own request, with its `status` at its end. `run_started`, `run_ended`: a handler; without a
   * `status` it did not answer. `redelivered`: a handler starts for a request that may have been started before. `lost`: the answer of a
   * handler is not wanted any longer, see `reason`. `refused`: the endpoint rejects a request by itself, see `code`.
   */
  readonly kind: "send_started" | "send_ended" | "run_started" | "run_ended" | "redelivered" | "lost" | "refused";
  readonly requestId: string;
  /** The other group. */
  readonly group: string;
  /** When, in Unix ms. */
  readonly at: number;
  /** How long what ended took, in ms. */
  readonly ms?: number;
  readonly status?: Outcome["status"];
  /** The code of a rejection, or the diagnosis of a timeout. */
  readonly code?: string;
  readonly reason?: string;
}

export type Observer = (observation: Observation) => void;

/** Of a request that this endpoint was given. */
interface Run {
  readonly request: { readonly id: Buffer; readonly source: Buffer };
  readonly starts: number;
}

/** How many observations may wait for slow observers. More are counted and dropped. */
const MOST_OBSERVED = 10_000;

/** Throws InvalidArgument for anything but a list of functions. */
export function checkObservers(given: unknown): void {
  if (!Array.isArray(given)) throw new InvalidArgument(`observers must be a list of functions, such as [note], not ${shown(given)}`);
  const wrong: unknown = given.find((observer) => typeof observer !== "function");
  if (wrong !== undefined || given.includes(undefined)) throw new InvalidArgument(`observers must be functions, but ${shown(wrong)} is in the list`);
}

/**
 * Collects observations, and calls the observers in a turn of the event loop of their own: never on the way of a request. One that throws
 * is reported, and not called again.
 */
export class Observing {
  private readonly observers: { readonly call: Observer; readonly contextOfCall: () => Context }[];
  private readonly began = new Map<object, number>();
  private waiting: Observation[] = [];
  private missed = 0;

  constructor(
    observers: readonly Observer[],
    private readonly report: (message: string, cause?: unknown) => void,
  ) {
    this.observers = observers.map((call) => ({ call, contextOfCall: registeredHere() }));
  }

  /** An own request is sent now. Returns the argument of `ended`. */
  sent(requestId: string, group: string): { readonly requestId: string; readonly group: string; readonly begunAt: number } {
    this.add({ kind: "send_started", requestId, group, at: Date.now() });
    return { requestId, group, begunAt: performance.now() };
  }

  /** It has its outcome now. */
  ended({ requestId, group, begunAt }: ReturnType<Observing["sent"]>, outcome: Outcome): void {
    const { status } = outcome;
    const code = codeOf(outcome);
    this.add({ kind: "send_ended", requestId, group, at: Date.now(), ms: performance.now() - begunAt, status, ...(code === undefined ? {} : { code }) });
  }

  /** A handler starts. */
  started(run: Run): void {
    this.began.set(run, performance.now());
    if (run.starts > 1) this.add({ kind: "redelivered", ...about(run) });
    this.add({ kind: "run_started", ...about(run) });
  }

  /** Its handler ended. No `answer`: it gave none. */
  done(run: Run, answer: { readonly status: "fulfilled" | "rejected"; readonly content: string } | undefined): void {
    const begunAt = this.began.get(run);
    if (begunAt === undefined) return;
    this.began.delete(run);
    const code = answer?.status === "rejected" ? codeIn(Buffer.from(answer.content)) : undefined;
    const told = answer === undefined ? {} : { status: answer.status, ...(code === undefined ? {} : { code }) };
    this.add({ kind: "run_ended", ...about(run), ms: performance.now() - begunAt, ...told });
  }

  /** The answer of a handler that runs is not wanted any longer. */
  lost(run: Run, reason: string): void {
    if (this.began.has(run)) this.add({ kind: "lost", ...about(run), reason });
  }

  /** The endpoint rejects a request by itself. */
  refused(run: Pick<Run, "request">, code: ReasonCode): void {
    this.add({ kind: "refused", ...about(run), code });
  }

  private add(observation: Observation): void {
    if (this.observers.length === 0) return;
    if (this.waiting.length >= MOST_OBSERVED) {
      this.missed++;
      return;
    }
    if (this.missed > 0) this.report(`${this.missed} observations were left out: the observers are too slow for them`);
    this.missed = 0;
    this.waiting.push(observation);
    if (this.waiting.length === 1) setImmediate(() => {
      this.tellAll();
    });
  }

  private tellAll(): void {
    for (const observation of this.waiting.splice(0)) {
      for (const observer of [...this.observers]) {
        const { call, contextOfCall }: { call: (observation: Observation) => unknown; contextOfCall: () => Context } = observer;
        guarded(
          () => contextOfCall()(() => call(observation)),
          (error) => {
            this.drop(observer, error);
          },
        );
      }
    }
  }

  private drop(observer: (typeof this.observers)[number], error: unknown): void {
    const at = this.observers.indexOf(observer);
    if (at < 0) return;
    this.observers.splice(at, 1);
    const { call: { name } } = observer;
    this.report(`the observer ${name === "" ? "without a name" : name} threw ${told(error).said}; it is not called again`, error);
  }
}

function about({ request }: Pick<Run, "request">): { requestId: string; group: string; at: number } {
  return { requestId: request.id.toString("utf8"), group: request.source.toString("utf8"), at: Date.now() };
}

function codeOf(outcome: Outcome): string | undefined {
  if (outcome.status === "rejected") return codeIn(outcome.content);
  return outcome.status === "timeout" || outcome.status === "no-responders" ? outcome.finding?.diagnosis : undefined;
}

function codeIn(content: Buffer): string | undefined {
  return readReason(decodeContent(content)).code;
}
