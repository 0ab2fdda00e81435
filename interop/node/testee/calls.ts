// `send` and `cancel` for both kinds of testee: outcomes instead of errors, and signals by the name of the call.
import { NoResponders, RequestCancelled, RequestRejected, RequestTimeout, type Json, type SendOptions } from "redisipc";

import type { Method, Params } from "./protocol.js";

export class Calls {
  private readonly controllers = new Map<string, AbortController>();

  /** What the call says about time and about giving up. */
  options(params: Params): SendOptions {
    const timeout = Object.hasOwn(params, "timeout") ? { timeoutMs: scaled(params.timeout, 1000) as number } : {};
    if (params.call === undefined) return timeout;
    const controller = new AbortController();
    this.controllers.set(keyOf(params), controller);
    return { ...timeout, signal: controller.signal };
  }

  outcomeOf(run: (params: Params) => Promise<Json>): Method {
    return async (params) => {
      try {
        return { outcome: "fulfilled", content: await run(params) };
      } catch (error) {
        if (error instanceof RequestRejected) return { outcome: "rejected", content: error.reason };
        if (error instanceof NoResponders) return { outcome: "no-responders", content: null }; // which is a RequestTimeout, too
        if (error instanceof RequestTimeout) return { outcome: "timeout", content: null };
        if (error instanceof RequestCancelled) return { outcome: "cancelled", content: null };
        throw error;
      } finally {
        this.controllers.delete(keyOf(params));
      }
    };
  }

  cancel(params: Params): Promise<Params> {
    this.controllers.get(keyOf(params))?.abort();
    return Promise.resolve({});
  }
}

/** The options of a `connect` by the package's names. Refuses what is not in the table. */
export function optionsOf(given: Params, table: Readonly<Record<string, readonly [name: string, factor: number]>>): Params {
  const options = Object.entries(given).map(([name, value]) => {
    const known = Object.hasOwn(table, name) ? table[name] : undefined;
    if (known === undefined) throw new Error(`there is no option ${name}`);
    return [known[0], scaled(value, known[1])];
  });
  return Object.fromEntries(options) as Params;
}

/** Seconds to milliseconds. A value that is not a number stays as it is: the package must refuse it. */
function scaled(value: unknown, factor: number): unknown {
  return typeof value === "number" && factor !== 1 ? value * factor : value;
}

function keyOf(params: Params): string {
  return JSON.stringify([params.endpoint, params.call ?? null]);
}
