import { AsyncResource } from "node:async_hooks";

/** Runs a piece of user code in one context (AsyncLocalStorage). */
export type Context = <R>(code: () => R) => R;

/**
 * Remembers the context of here and now. Each call of what it gives makes a context with the same stores, of its own: what user
 * code enters in one (`enterWith`), it sees in that one alone.
 */
export function registeredHere(): () => Context {
  const here = new AsyncResource("RedisIpcRegistration");
  return () => {
    const own = here.runInAsyncScope(() => new AsyncResource("RedisIpcCall"));
    return (code) => own.runInAsyncScope(code);
  };
}
