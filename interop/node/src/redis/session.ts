import { BLOCK_MS, type Command } from "../wire/commands.js";
import { RedisFault, breaksConnection, isFault, isForAWhile } from "../wire/faults.js";
import { type Reply, majorVersion, timeOfReply } from "../wire/replies.js";
import type { Connection, ConnectionOptions } from "./connection.js";
import { openFirst } from "./first-connection.js";

export interface SessionEvents {
  /** A reply said that the group or the stream is gone. */
  groupLost(): void;
  /** Redis refused a command, for good (RIPC-RECOV-15) or for a while (RIPC-RECOV-26). */
  refused(fault: RedisFault): void;
}

/**
 * Two connections that begin and end together: one blocks in reads, the other one does everything else. Each reply is checked here once, so
 * that the sender of a command handles only its own matter.
 */
export class Session {
  /** Resolved once, with the reason, when the session is over. */
  readonly lost: Promise<RedisFault>;
  private settleLost!: (fault: RedisFault) => void;
  private over = false;

  private constructor(
    private readonly writer: Connection,
    private readonly reader: Connection,
    private readonly events: SessionEvents,
    /** Redis' clock less the monotonic one, in ms. */
    public clockOffset: number,
    /** Of Redis, which Valkey reports as well; 0 where it is unknown. */
    readonly majorVersion: number,
    private readonly readerId: number | undefined,
  ) {
    this.lost = new Promise((resolve) => {
      this.settleLost = resolve;
    });
    for (const connection of [writer, reader]) {
      void connection.lost.then((fault) => {
        this.break(fault);
      });
    }
  }

  static async open(options: ConnectionOptions, events: SessionEvents): Promise<Session> {
    // One after the other: an attempt that fails costs Redis one connection.
    const writer = await openFirst(options, [["TIME"], ["INFO", "server"]]);
    const [time = null, info = null] = writer.greeting;
    const askedAt = performance.now();
    let reader: Connection | undefined;
    try {
      // TIME and INFO may be refused by an ACL: the clock of this host and the oldest server are near enough.
      const now = isFault(time) ? whereRefused(time, Date.now()) : timeOfReply(time);
      reader = await openFirst(options, [["CLIENT", "ID"]]);
      const [id = null] = reader.greeting;
      const readerId = isFault(id) ? whereRefused<number | undefined>(id, undefined) : Number(id);
      return new Session(writer, reader, events, now - askedAt, majorVersion(info), readerId);
    } catch (error) {
      writer.close();
      reader?.close();
      throw error;
    }
  }

  get isOver(): boolean {
    return this.over;
  }

  /** Redis' clock, in ms. */
  get redisTime(): number {
    return this.clockOffset + performance.now();
  }

  /** The reply to TIME, asked for at this moment: one that took long tells the clock badly. */
  sawTime(reply: Reply, askedAt: number): void {
    const now = performance.now();
    if (now - askedAt < 1000) this.clockOffset = timeOfReply(reply) - (askedAt + now) / 2;
  }

  /** Sends commands in one go. Never throws: each has its own reply, which may be a RedisFault. */
  async batch(commands: readonly Command[]): Promise<Reply[]> {
    const replies = await this.writer.batch(commands);
    for (const reply of replies) this.look(reply);
    return replies;
  }

  /** One command. Throws the RedisFault that its reply is. */
  async call(command: Command): Promise<Reply> {
    const [reply = null] = await this.batch([command]);
    if (isFault(reply)) throw reply;
    return reply;
  }

  /** A read that blocks. Throws the RedisFault that its reply is. */
  async read(command: Command): Promise<Reply> {
    const [reply = null] = await this.reader.batch([command], BLOCK_MS);
    this.look(reply);
    if (isFault(reply)) throw reply;
    return reply;
  }

  /** Makes a blocking read end now, without losing what it was about to give. Without the right to CLIENT it ends by itself. */
  async endRead(): Promise<void> {
    if (this.readerId !== undefined) await this.writer.batch([["CLIENT", "UNBLOCK", this.readerId]]);
  }

  /** A reply that is not an error said it: nil to XADD NOMKSTREAM. */
  noticeGroupLost(): void {
    if (!this.over) this.events.groupLost();
  }

  /** Ends the session: both connections are closed. */
  break(fault: RedisFault): void {
    if (this.over) return;
    this.over = true;
    this.settleLost(fault);
    this.writer.close();
    this.reader.close();
  }

  close(): void {
    this.break(new RedisFault("lost", "the endpoint closed its connections"));
  }

  private look(reply: Reply): void {
    if (Array.isArray(reply)) {
      // Inside a list only EXEC has faults.
      for (const item of reply) if (isFault(item)) this.look(item);
    }
    // Where MULTI was refused, which has been looked at, EXEC says nothing new.
    if (!isFault(reply) || this.over || reply.message === "ERR EXEC without MULTI") return;
    if (breaksConnection(reply.kind)) this.break(reply);
    else if (reply.kind === "group-lost") this.events.groupLost();
    else if (reply.kind === "permanent" || isForAWhile(reply.kind)) this.events.refused(reply);
  }
}

/** A stand-in where a command of the greeting is merely not allowed. */
function whereRefused<T>(fault: RedisFault, otherwise: T): T {
  if (fault.message.startsWith("NOPERM")) return otherwise;
  throw fault;
}
