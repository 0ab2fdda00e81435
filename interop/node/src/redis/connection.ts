import { Redis, type RedisOptions, ReplyError } from "ioredis";

import { addressOf } from "./address.js";
import { waitAtMost } from "./wait.js";
import { Watch } from "./watch.js";
import type { Command } from "../wire/commands.js";
import { RedisFault, breaksConnection, faultOf, isFault } from "../wire/faults.js";
import type { Reply } from "../wire/replies.js";

export interface ConnectionOptions {
  readonly url: string;
  readonly tls?: RedisOptions["tls"];
  /** ms */
  readonly connectTimeoutMs: number;
  /** Ends the connection, and the attempt to make it, at once. */
  readonly signal: AbortSignal;
  /** Ends the attempt alone. */
  readonly givenUp?: AbortSignal;
  /** The questions that must be answered before the connection counts as open. */
  readonly asks?: readonly Command[];
}

/** Redis has as many clients as it takes. */
const FULL = "max number of clients";

/** So long nothing is heard on a connection that listens before it is asked whether it still lives, in ms. */
const PING_MS = 30_000;

/**
 * One connection to Redis. It never connects again and never sends a command twice (RIPC-REQ-3): when it is lost,
 * each command whose reply is outstanding ends as `lost`, and its user makes a new one.
 */
export class Connection {
  /** Resolved once, with the reason, when the connection is of no more use. */
  readonly lost: Promise<RedisFault>;
  private settleLost!: (fault: RedisFault) => void;
  private fault: RedisFault | undefined;
  /** Ends the batches under way if the connection is lost: a silent one would never end them. */
  private readonly waiting = new Set<(fault: RedisFault) => void>();

  /** The replies to what was asked as it was opened; each may be a RedisFault. */
  greeting: readonly Reply[] = [];

  private readonly watch: Watch;
  private readonly dues: number[] = [];

  private constructor(private readonly redis: Redis) {
    this.watch = new Watch(
      () => this.redis.stream,
      () => {
        this.fail(new RedisFault("lost", "Redis was silent for 3 s after a reply was due"));
      },
    );
    this.lost = new Promise((resolve) => (this.settleLost = resolve));
    redis.on("end", () => {
      this.fail(new RedisFault("lost", "Redis closed the connection"));
    });
  }

  /** Throws a RedisFault where Redis is not reached, or refuses. */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const address = addressOf(options.url);
    const limitMs = waitAtMost(options.connectTimeoutMs);
    const redis = new Redis({
      host: address.host,
      port: address.port,
      lazyConnect: true,
      protocol: 2,
      connectTimeout: limitMs,
      disconnectTimeout: 100,
      retryStrategy: null,
      maxRetriesPerRequest: null,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      enableReadyCheck: false,
      disableClientInfo: true,
      ...(address.tls || options.tls !== undefined ? { tls: options.tls ?? {} } : {}),
    });
    let reason: Error | undefined;
    redis.on("error", (error: Error) => (reason ??= error));
    const connection = new Connection(redis);
    connection.endWith(options.signal);
    const forget = options.givenUp && connection.endWith(options.givenUp);
    try {
      // An abandoned attempt does not always end by itself.
      const givenUp = connection.lost.then((fault) => Promise.reject(fault));
      await withLimit(Promise.race([redis.connect(), givenUp]), limitMs);
      await withLimit(connection.greet(address, options.asks ?? []), limitMs);
      return connection;
    } catch (error) {
      connection.close();
      throw asFault(reason ?? (error as Error));
    } finally {
      forget?.();
    }
  }

  /** Whether something may be sent on it. */
  get isUsable(): boolean {
    return this.fault === undefined && this.redis.status === "ready" && this.redis.stream.writable;
  }

  /** Whether the process goes on for as long as the connection is there. */
  keepsAlive(does: boolean): void {
    if (does) this.redis.stream.ref();
    else this.redis.stream.unref();
  }

  /**
   * Sends the commands in one go. Each has its own reply, which may be a RedisFault; it never throws. `blockMs`: how long
   * after it is sent the last reply is due.
   */
  batch(commands: readonly Command[], blockMs = 0): Promise<Reply[]> {
    // Commands that are certainly not sent may be sent later, so they are kept apart from lost ones.
    if (!this.isUsable) return Promise.resolve(commands.map(() => new RedisFault("unsent", "the connection to Redis is closed")));
    const pipeline = this.redis.pipeline();
    for (const [name, ...args] of commands) pipeline.callBuffer(name, ...args);
    // Replies come in the order of the commands: later ones do not make the first one due later.
    this.dues.push(performance.now() + blockMs);
    this.watch.until(this.firstDue);
    return new Promise((resolve) => {
      const end = (replies: Reply[]) => {
        this.waiting.delete(giveUp);
        this.dues.shift();
        if (this.waiting.size === 0) this.watch.stop();
        else this.watch.until(this.firstDue);
        resolve(replies);
      };
      const giveUp = (fault: RedisFault) => {
        end(commands.map(() => fault));
      };
      this.waiting.add(giveUp);
      void pipeline.exec().then((results) => {
        if (this.waiting.has(giveUp)) end((results ?? []).map(([error, result]) => (error === null ? asReply(result) : asFault(error))));
      });
    });
  }

  private get firstDue(): number {
    return this.dues[0] ?? performance.now();
  }

  /** Listens to pub/sub channels; afterwards the connection serves for nothing else. */
  async subscribe(channels: readonly string[], onMessage: (channel: string) => void, pingMs = PING_MS): Promise<void> {
    let heardAt = performance.now();
    this.redis.on("message", (channel: string) => {
      heardAt = performance.now();
      onMessage(channel);
    });
    const pings = setInterval(() => {
      if (performance.now() - heardAt >= pingMs / 2) void this.ping();
    }, pingMs);
    pings.unref();
    void this.lost.then(() => {
      clearInterval(pings);
    });
    try {
      await withLimit(this.redis.subscribe(...channels), 5000);
    } catch (error) {
      throw asFault(error as Error);
    }
  }

  /** Asks whether one that listens still lives: without a reply it is silent like any other. */
  async ping(): Promise<void> {
    if (this.dues.length > 0 || !this.isUsable) return;
    this.dues.push(performance.now());
    this.watch.until(this.firstDue);
    await this.redis.ping().catch(() => undefined);
    this.dues.length = 0;
    this.watch.stop();
  }

  /** Ends the connection at once. */
  close(): void {
    this.fail(new RedisFault("lost", "the connection was closed"));
  }

  /** Sends user and database. If Redis refuses one of them, that must not go unnoticed. */
  private async greet({ username, password, database }: ReturnType<typeof addressOf>, asks: readonly Command[]): Promise<void> {
    const commands: Command[] = [];
    // A user without a password must log in, too. Otherwise the connection would act as the default user.
    if (username !== undefined) commands.push(["AUTH", username, password ?? ""]);
    else if (password !== undefined) commands.push(["AUTH", password]);
    if (database !== 0) commands.push(["SELECT", database]);
    const replies = await this.batch([...commands, ...asks]);
    const fault = replies.slice(0, commands.length).find(isFault);
    // Whatever it says: without the user or the database that was asked for nothing may be written. That Redis is full may pass.
    if (fault !== undefined) throw fault.kind === "unknown" && !fault.message.includes(FULL) ? new RedisFault("permanent", fault.message) : fault;
    this.greeting = replies.slice(commands.length);
    const lost = this.greeting.find((reply) => isFault(reply) && breaksConnection(reply.kind));
    if (lost !== undefined) throw lost as RedisFault;
  }

  /** Returns a function that undoes it. */
  private endWith(signal: AbortSignal): () => void {
    const end = () => {
      this.close();
    };
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
    const forget = () => {
      signal.removeEventListener("abort", end);
    };
    void this.lost.then(forget);
    return forget;
  }

  private fail(fault: RedisFault): void {
    if (this.fault !== undefined) return;
    this.fault = fault;
    this.watch.stop();
    this.redis.disconnect();
    this.settleLost(fault);
    // Replies that are already here come first: a request that was stored is not unsure.
    setImmediate(() => {
      for (const giveUp of [...this.waiting]) giveUp(new RedisFault("lost", fault.message));
    });
  }
}

function asFault(error: Error): RedisFault {
  if (error instanceof RedisFault) return error;
  return error instanceof ReplyError ? faultOf(error.message) : new RedisFault("lost", error.message);
}

/** Turns the error replies inside a list, as EXEC has them, into faults. */
function asReply(value: unknown): Reply {
  if (Array.isArray(value)) return value.map(asReply);
  return value instanceof Error ? asFault(value) : (value as Reply);
}

async function withLimit<T>(promise: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new RedisFault("lost", `Redis did not answer within ${Math.round(limitMs)} ms`));
    }, limitMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
