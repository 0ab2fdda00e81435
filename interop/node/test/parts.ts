import { assemble } from "../src/core/assembly.js";
import type { Ports } from "../src/core/ports.js";
import { Shared } from "../src/core/shared.js";
import type { Serve } from "../src/core/responder.js";
import { type Problem, Reporter } from "../src/events.js";
import { type EndpointOptions, resolveOptions } from "../src/options.js";
import type { Outcome } from "../src/outcome.js";
import type { Session } from "../src/redis/session.js";
import type { Command } from "../src/wire/commands.js";
import { namesOf } from "../src/wire/names.js";
import type { Reply } from "../src/wire/replies.js";

type Answered = Reply | Promise<Reply>;

/**
 * The parts of a live endpoint over a session that is scripted: its commands are kept, its clock is set by the test, and no
 * task of its own runs. The group is `web`, the instance `a1b2c3`, the stream `s`.
 */
export class Parts {
  readonly shared: Shared & Ports;
  readonly problems: Problem[] = [];
  readonly started: string[] = [];
  readonly outcomes: Outcome[] = [];
  /** All commands that were sent. */
  readonly sent: Command[] = [];
  /** By the beginning of a command, what Redis answers. */
  readonly replies = new Map<string, Answered | (() => Answered)>();
  now = 1_000_000;
  private told = 0;

  constructor(options: Partial<EndpointOptions> = {}, serve: Serve | null = (held) => this.serve(held.entryId)) {
    const reporter = new Reporter();
    reporter.on("problem", (problem) => this.problems.push(problem));
    const shared = assemble(new Shared(namesOf("s", "web", "a1b2c3"), resolveOptions({ url: "redis://localhost", stream: "s", ...options }), reporter), serve ?? undefined);
    this.shared = shared;
    Object.assign(shared, { now: () => this.now });
    shared.registration.mayAddIn = () => 0;
    shared.session = this.session();
    shared.live = true;
  }

  /** A request of a user. */
  send(group = "b", timeoutMs = 60_000, signal?: AbortSignal): void {
    void this.shared.requester.send(group, "1", timeoutMs, signal).then((outcome) => this.outcomes.push(outcome));
  }

  /** Lets all that is due happen, and the commands that were sent since the last time. */
  async settle(): Promise<Command[]> {
    for (let i = 0; i < 10; i++) await new Promise<void>((resolve) => setImmediate(resolve));
    const commands = this.sent.slice(this.told);
    this.told = this.sent.length;
    return commands;
  }

  private serve(entryId: string): Promise<undefined> {
    this.started.push(entryId);
    return new Promise(() => undefined);
  }

  private session(): Session {
    const batch = (commands: readonly Command[]) => {
      this.sent.push(...commands);
      return Promise.all(commands.map((command) => Promise.resolve(this.reply(command))));
    };
    const stub = { isOver: false, majorVersion: 7, redisTime: this.now, batch, noticeGroupLost: () => undefined, break: () => undefined };
    return stub as unknown as Session;
  }

  private reply(command: Command): Answered {
    const text = command.join(" ");
    for (const [begin, reply] of this.replies) if (text.startsWith(begin)) return typeof reply === "function" ? reply() : reply;
    return command[0] === "XADD" ? Buffer.from("9-0") : command[0] === "LRANGE" || command[0] === "XRANGE" ? [] : 1;
  }
}
