// The port as callers, which have no group: the profile ask.
import { Caller, type CallerOptions, VERSION } from "redisipc";

import { Calls, optionsOf } from "./calls.js";
import type { Methods, Params } from "./protocol.js";

const OPTIONS = { timeout: ["timeoutMs", 1000], max_outstanding: ["maxOutstanding", 1] } as const;

export class AskPort implements Methods {
  private readonly callers = new Map<string, Caller>();
  private readonly calls = new Calls();

  readonly methods: Methods["methods"] = {
    hello: [() => Promise.resolve(hello()), "protocol"],
    connect: [(params) => this.connect(params), "endpoint", "url", "stream"],
    send: [this.calls.outcomeOf((params) => this.send(params)), "endpoint", "to", "content"],
    cancel: [(params) => this.calls.cancel(params), "endpoint", "call"],
    disconnect: [(params) => this.disconnect(params), "endpoint"],
    shutdown: [() => this.shutdown()],
  };

  private connect(params: Params): Promise<Params> {
    if (Object.hasOwn(params, "group")) throw new Error("a caller has no group");
    const options = optionsOf((params.options ?? {}) as Params, OPTIONS) as Partial<CallerOptions>;
    const caller = new Caller({ ...options, url: params.url as string, stream: params.stream as string });
    this.callers.set(params.endpoint as string, caller);
    return Promise.resolve({ instance: caller.instance });
  }

  private async send(params: Params) {
    return this.caller(params).send(params.to as string, params.content, this.calls.options(params));
  }

  private disconnect(params: Params): Promise<Params> {
    this.caller(params).close();
    this.callers.delete(params.endpoint as string);
    return Promise.resolve({});
  }

  private shutdown(): Promise<Params> {
    for (const caller of this.callers.values()) caller.close();
    return Promise.resolve({});
  }

  private caller(params: Params): Caller {
    const caller = this.callers.get(params.endpoint as string);
    if (caller === undefined) throw new Error(`there is no endpoint ${String(params.endpoint)}`);
    return caller;
  }
}

function hello(): Params {
  return {
    protocol: "1.0",
    name: "redisipc (Node.js)",
    version: VERSION,
    language: "javascript",
    spec: ["1.0"],
    profiles: ["ask"],
    features: ["cancel", "early-end"],
  };
}
