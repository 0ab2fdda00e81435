import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";

/** A TCP relay in front of Redis, that can be cut, be away, or be silent. */
export class Relay {
  /** New connections are taken, and nothing is ever heard of them. */
  silent = false;
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;
  private port = 0;

  private constructor(private readonly redis: URL) {}

  static async to(url: string): Promise<Relay> {
    const relay = new Relay(new URL(url));
    await relay.open();
    return relay;
  }

  /** What stands in for the URL of Redis. */
  get url(): string {
    const url = new URL(this.redis);
    url.hostname = "127.0.0.1";
    url.port = String(this.port);
    return url.href;
  }

  /** Connections are taken, again at the same port. */
  async open(): Promise<void> {
    this.server = createServer((socket) => {
      this.join(socket);
    });
    this.server.listen(this.port, "127.0.0.1");
    await once(this.server, "listening");
    this.port = (this.server.address() as AddressInfo).port;
  }

  /** All connections break; new ones are taken. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** All connections break, and new ones are refused. */
  close(): void {
    this.server?.close();
    this.cut();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private join(socket: Socket): void {
    this.add(socket);
    if (this.silent) return;
    const other = connect(Number(this.redis.port || 6379), this.redis.hostname);
    this.add(other);
    socket.pipe(other).pipe(socket);
    socket.on("close", () => other.destroy());
    other.on("close", () => socket.destroy());
  }

  private add(socket: Socket): void {
    this.sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => this.sockets.delete(socket));
  }
}
