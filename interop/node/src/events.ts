import { AsyncResource } from "node:async_hooks";
import { EventEmitter } from "node:events";

/** Something that went wrong beside any call. Content is in no message; `fields` and `cause` may hold it. */
export interface Problem {
  /**
   * `malformed`: an entry that is none, see `entryId` and `fields`. `handler`: a handler failed, see `cause`.
   * `given-up`: a request was started too often. `answer`: an answer could not be written, for too long or too often.
   * `refused`: Redis refuses a command for good, see `cause`.
   */
  readonly kind: "malformed" | "handler" | "given-up" | "answer" | "refused";
  readonly message: string;
  readonly entryId?: string;
  /** The raw fields, in their order; names may stand twice. */
  readonly fields?: readonly (readonly [name: string, value: Buffer])[];
  readonly cause?: unknown;
}

/** The events of an endpoint. An endpoint without a listener for `problem` emits process warnings instead. */
export interface EndpointEvents {
  problem: [problem: Problem];
  /** The connection was lost; told once, whatever number of attempts follow (RIPC-RECOV-14). */
  disconnected: [reason: Error];
  /** It is back, and all is as before. */
  reconnected: [];
}

/**
 * Tells listeners. Never throws: what a listener throws becomes an uncaught exception, as with any emitter, but not in the
 * midst of the reading of entries. An unheard problem does not end the process as an unheard `error` event does.
 */
export class Reporter extends EventEmitter<EndpointEvents> {
  problem(problem: Problem): void {
    if (this.listenerCount("problem") > 0) this.tell("problem", problem);
    else process.emitWarning(problem.message, { type: "RedisIpcWarning", code: problem.kind });
  }

  /** Listeners see the context in which they were registered. */
  override on<Name extends keyof EndpointEvents>(event: Name, listener: (...args: EndpointEvents[Name]) => void): this {
    const bound = AsyncResource.bind(listener) as typeof listener & { listener?: unknown };
    // By this property an emitter finds the listener to remove, as it does for once().
    bound.listener = listener;
    return (super.on as (event: string, listener: unknown) => this).call(this, event, bound);
  }

  tell<Name extends keyof EndpointEvents>(event: Name, ...args: EndpointEvents[Name]): void {
    try {
      (this as EventEmitter).emit(event, ...args);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }
}
