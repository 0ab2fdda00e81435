import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";

import { until } from "./own-time.js";

/** What the server says. An Error is an error reply; undefined: it says nothing. */
export type Said = string | number | null | Error | undefined | readonly Said[];

const PENDING = "a blocked read";

/** A server that speaks as much RESP as an endpoint needs, says what a test wants it to say, and keeps what it was sent. */
export class FakeRedis {
  /** All commands, in their order, as texts. */
  readonly sent: string[] = [];
  /** By the beginning of a command, what the server says to it instead of the usual. */
  readonly says = new Map<string, Said | ((command: string) => Said)>();
  /** New connections are closed at once. */
  refuses = false;
  /** Nothing is said any more to anybody, and what comes is kept. */
  silent = false;
  /** Connections that were closed at once. */
  refused = 0;
  /** Connections that were opened. */
  opened = 0;
  private readonly clients = new Set<Client>();
  private readonly server: Server;

  private constructor() {
    this.server = createServer((socket) => {
      socket.on("error", () => undefined);
      if (!this.refuses) this.join(socket);
      else {
        this.refused++;
        socket.destroy();
      }
    });
  }

  static async start(): Promise<FakeRedis> {
    const redis = new FakeRedis();
    redis.server.listen(0, "127.0.0.1");
    await once(redis.server, "listening");
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Where an endpoint finds it. How long a connect takes on a busy machine is not what a test is about. */
  get place(): { url: string; stream: string; connectTimeoutMs: number } {
    return { url: this.url, stream: "s", connectTimeoutMs: 60_000 };
  }

  /** Connections that are open. */
  get open(): number {
    return this.clients.size;
  }

  /** The commands since this place of `sent`, of these names. */
  since(at: number, ...names: string[]): string[] {
    return this.sent.slice(at).filter((command) => names.includes(command.split(" ", 1)[0] ?? ""));
  }

  /** Resolved when a command that begins so has been sent, from this place on. */
  async sees(begin: string, from = 0, within = 5000): Promise<string> {
    let found: string | undefined;
    const sent = () => (found = this.sent.slice(from).find((command) => command.startsWith(begin))) !== undefined;
    await until(sent, () => `nobody sent ${begin}; the last commands: ${this.sent.slice(-10).join("; ")}`, within);
    return found ?? "";
  }

  /** What all blocked reads get: as soon as one is there, for a new connection is used before it reads. */
  async serve(said: Said, within = 5000): Promise<void> {
    await until(() => this.reply(said), () => `nobody reads; the last commands: ${this.sent.slice(-10).join("; ")}`, within);
  }

  /** The connections that are there hear nothing any more, and nobody learns of it: as when a host dies. New ones work. */
  forget(which: "all" | "blocked" | "others" = "all"): void {
    for (const client of this.clients) client.forgotten ||= which === "all" || client.blocked === (which === "blocked");
  }

  /** All connections break. */
  cut(): void {
    for (const client of this.clients) client.socket.destroy();
  }

  /** Those break that never sent such a command. */
  cutAllBut(name: string): void {
    for (const client of this.clients) if (!client.names.has(name)) client.socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, "close");
  }

  private reply(said: Said): boolean {
    const reading = [...this.clients].filter((client) => client.blocked && !client.forgotten);
    for (const client of reading) client.serve(said);
    return reading.length > 0;
  }

  private join(socket: Socket): void {
    const client = new Client(socket, (command) => {
      this.sent.push(command);
      return this.silent ? undefined : this.answer(command);
    });
    this.opened++;
    this.clients.add(client);
    socket.on("close", () => this.clients.delete(client));
  }

  private answer(command: string): Said {
    for (const [begin, said] of this.says) if (command.startsWith(begin)) return typeof said === "function" ? said(command) : said;
    if (command.startsWith("CLIENT UNBLOCK")) {
      this.reply(null);
      return 1;
    }
    return usual(command);
  }
}

/** What a healthy Redis says to an endpoint of the group `web`, alone in it. */
function usual(command: string): Said {
  const [name = "", second = ""] = command.split(" ");
  if (name === "XREADGROUP") return command.includes(" BLOCK ") ? PENDING : null;
  if (["LRANGE", "XRANGE", "XPENDING", "XCLAIM"].includes(name) || command.startsWith("XINFO CONSUMERS")) return [];
  if (command.startsWith("XINFO GROUPS")) return [["name", "web", "consumers", 2, "pending", 0, "last-delivered-id", "0-0"]];
  if (command.startsWith("XINFO STREAM")) return ["last-generated-id", "0-0"];
  if (name === "TIME") return [String(Math.floor(Date.now() / 1000)), "0"];
  if (name === "INFO") return "redis_version:7.0.0\r\n";
  if (name === "SUBSCRIBE") return ["subscribe", second, 1];
  if (name === "XADD") return "9-0";
  if (name === "GET") return null;
  if (name === "PING") return ["pong", ""];
  return ["MULTI", "AUTH", "SELECT", "SET"].includes(name) || command.startsWith("XGROUP CREATE ") ? "OK" : 1;
}

class Client {
  blocked = false;
  forgotten = false;
  /** Of its commands. */
  readonly names = new Set<string>();
  private bytes = Buffer.alloc(0);
  /** What was said in the MULTI that is open. */
  private queue: Said[] | undefined;
  /** A command in it was refused, so EXEC does nothing. */
  private refused = false;

  constructor(
    readonly socket: Socket,
    private readonly answer: (command: string) => Said,
  ) {
    socket.on("data", (chunk: Buffer) => {
      this.bytes = Buffer.concat([this.bytes, chunk]);
      for (let command = this.next(); command !== undefined; command = this.next()) this.take(command);
    });
  }

  serve(said: Said): void {
    this.blocked = false;
    this.say(said);
  }

  private take(command: readonly string[]): void {
    this.names.add(command[0]?.toUpperCase() ?? "");
    if (this.forgotten) return;
    const said = this.answer([command[0]?.toUpperCase(), ...command.slice(1)].join(" "));
    if (said === PENDING) this.blocked = true;
    else if (command[0]?.toUpperCase() === "SUBSCRIBE" && Array.isArray(said)) command.slice(1).forEach((name, i) => { this.say(["subscribe", name, i + 1]); });
    else if (command[0] === "MULTI" && !(said instanceof Error)) this.begin(said);
    else if (command[0] === "EXEC" && this.queue !== undefined) {
      const usual = this.refused ? new Error("EXECABORT Transaction discarded because of previous errors.") : this.queue;
      this.say(typeof said === "number" ? usual : said);
      this.queue = undefined;
    } else if (this.queue !== undefined && !(said instanceof Error)) {
      this.queue.push(said);
      this.socket.write("+QUEUED\r\n");
    } else {
      this.refused ||= said instanceof Error;
      this.say(said);
    }
  }

  private begin(said: Said): void {
    this.queue = [];
    this.refused = false;
    this.say(said);
  }

  private say(said: Said): void {
    if (said !== undefined) this.socket.write(textOf(said));
  }

  /** The next whole command that has come: an array of bulk strings. */
  private next(): string[] | undefined {
    let at = 0;
    const line = (): string | undefined => {
      const end = this.bytes.indexOf("\r\n", at);
      if (end < 0) return undefined;
      const text = this.bytes.toString("latin1", at + 1, end);
      at = end + 2;
      return text;
    };
    const count = line();
    if (count === undefined) return undefined;
    const command: string[] = [];
    for (let i = 0; i < Number(count); i++) {
      const size = line();
      if (size === undefined || this.bytes.length < at + Number(size) + 2) return undefined;
      command.push(this.bytes.toString("utf8", at, at + Number(size)));
      at += Number(size) + 2;
    }
    this.bytes = this.bytes.subarray(at);
    return command;
  }
}

function textOf(said: Said): string {
  if (said === null || said === undefined) return "$-1\r\n";
  if (typeof said === "number") return `:${said}\r\n`;
  if (said instanceof Error) return `-${said.message}\r\n`;
  if (typeof said === "string") return said === "OK" ? "+OK\r\n" : `$${Buffer.byteLength(said)}\r\n${said}\r\n`;
  return `*${said.length}\r\n${said.map(textOf).join("")}`;
}
