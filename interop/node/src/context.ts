import { AsyncResource } from "node:async_hooks";

/** Runs a piece of user code in one context (AsyncLocalStorage). */
export type Context = <R>(code: () => R) => R;

/**
 * Remembers the present context. Each call of the returned function makes a new context with the same stores. Stores that user code enters
 * in one (`enterWith`) are visible only there.
 */
export function registeredHere(): () => Context {
  const here = new AsyncResource("RedisIpcRegistration");
  return () => {
    const own = here.runInAsyncScope(() => new AsyncResource("RedisIpcCall"));
    return (code) => own.runInAsyncScope(code);
  };
}
