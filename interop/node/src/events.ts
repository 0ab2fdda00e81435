import { EventEmitter } from "node:events";

import { registeredHere } from "./context.js";
import { InvalidArgument } from "./errors.js";
import type { Health } from "./lifecycle.js";
import type { Observing } from "./observing.js";
import { EachSecond, type ReasonCode, shortened } from "./reasons.js";
import { guarded, told } from "./thrown.js";

/** The longest message of a problem, in UTF-16 units: names and texts that others chose have no limit. */
const LONGEST_MESSAGE = 2000;
/** The longest id or group that a message shows. */
const LONGEST_NAME = 200;

/** A problem that belongs to no call. No message has content, but `fields` and `cause` may have it. */
export interface Problem {
  /**
   * `malformed`: a malformed entry, see `entryId` and `fields`. `handler`: a handler failed, see `cause`.
   * `answer`: an answer could not be written, for too long or too often. `busy`: all handlers are busy, and none ends.
   * `unreadable`: the body of an entry breaks the connection whenever it is read, see `entryId`.
   * `observer`: an observer threw, or is too slow. `refused`: Redis refuses a command for good, see `cause`. A registered word: the endpoint rejects requests by itself; it is
   * reported once a second for each word.
   */
  readonly kind: "malformed" | "handler" | "answer" | "refused" | "busy" | "unreadable" | "observer" | ReasonCode;
  readonly message: string;
  readonly entryId?: string;
  /** The raw fields, in their order; names may stand twice. */
  readonly fields?: readonly (readonly [name: string, value: Buffer])[];
  readonly cause?: unknown;
}

/** A request that was rejected. */
interface Refused {
  readonly entryId: string;
  readonly request: { readonly id: Buffer; readonly source: Buffer };
}

/** The events of an endpoint. An endpoint without a listener for `problem` emits process warnings instead. */
export interface EndpointEvents {
  problem: [problem: Problem];
  /** The connection was lost; reported once, however many attempts follow (RIPC-RECOV-14). */
  disconnected: [reason: Error];
  /** It is back, and all is as before. */
  reconnected: [];
  /** The state of the connection has changed. */
  state: [health: Health];
}

const NAMES: readonly string[] = ["problem", "disconnected", "reconnected", "state"] satisfies readonly (keyof EndpointEvents)[];

/** Throws InvalidArgument for an event that never comes. */
export function checkEventName(name: string): void {
  if (!NAMES.includes(name)) throw new InvalidArgument(`there is no event ${name}: the events are ${NAMES.join(", ")}`);
}

/**
 * Tells listeners. Never throws: a listener that throws, or whose promise is rejected, becomes a warning of the process, as an
 * unheard problem does. Neither ends the process, as an unheard `error` event would.
 */
export class Reporter extends EventEmitter<EndpointEvents> {
  /** Where there are observers. */
  observing: Observing | undefined;
  private readonly refusals = new EachSecond();

  /** An endpoint rejects a request by itself: reported once a second for each word. */
  refusal(code: ReasonCode, { entryId, request }: Refused, reason: unknown): void {
    this.observing?.refused({ request }, code);
    const held = this.refusals.take(code, performance.now());
    if (held === undefined) return;
    const [id, source] = [request.id, request.source].map((name) => JSON.stringify(shortened(name.toString("utf8"), LONGEST_NAME))) as [string, string];
    const who = `request ${id} from ${source}`;
    const said = typeof reason === "string" ? shortened(reason) : code;
    const more = held === 0 ? "" : ` (${held} more like this since the last report)`;
    this.problem({ kind: code, message: `rejected ${who}: ${said}${more}`, entryId });
  }

  problem(given: Problem): void {
    const problem = given.message.length <= LONGEST_MESSAGE ? given : { ...given, message: shortened(given.message, LONGEST_MESSAGE) };
    if (this.listenerCount("problem") > 0) this.tell("problem", problem);
    else process.emitWarning(problem.message, { type: "RedisIpcWarning", code: problem.kind });
  }

  /** Listeners see the context in which they were registered. */
  override on<Name extends keyof EndpointEvents>(event: Name, listener: (...args: EndpointEvents[Name]) => void): this {
    const contextOfCall = registeredHere();
    const bound: typeof listener & { listener?: unknown } = (...args) => {
      const call: (...args: EndpointEvents[Name]) => unknown = listener;
      guarded(
        () => contextOfCall()(() => call(...args)),
        (error) => {
          warnOf(event, error);
        },
      );
    };
    // By this property an emitter finds the listener to remove, as it does for once().
    bound.listener = listener;
    return (super.on as (event: string, listener: unknown) => this).call(this, event, bound);
  }

  tell<Name extends keyof EndpointEvents>(event: Name, ...args: EndpointEvents[Name]): void {
    (this as EventEmitter).emit(event, ...args);
  }
}

/** A listener failed: only the process can report it. */
function warnOf(event: string, error: unknown): void {
  const { said, ...detail } = told(error);
  process.emitWarning(`a listener of ${event} threw ${said}`, { type: "RedisIpcWarning", code: "listener", ...detail });
}
