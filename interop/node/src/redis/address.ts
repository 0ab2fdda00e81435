import { InvalidArgument } from "../errors.js";

/** Where Redis is, and who we are there. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
}

/** Reads `redis://[[user]:password@]host[:port][/database]`. Throws InvalidArgument. */
export function addressOf(url: string): Address {
  if (!/^rediss?:\/\//.test(url)) throw new InvalidArgument("url must begin with redis:// or rediss://");
  try {
    const { protocol, hostname, port, username, password, pathname } = new URL(url);
    const database = pathname.replace(/^\//, "");
    if (!/^\d*$/.test(database)) throw new InvalidArgument(`the database in url must be a number, not ${JSON.stringify(database)}`);
    return {
      host: hostname === "" ? "127.0.0.1" : hostname.replace(/^\[(.*)\]$/, "$1"),
      port: Number(port === "" ? 6379 : port),
      tls: protocol === "rediss:",
      username: username === "" ? undefined : decodeURIComponent(username),
      password: password === "" ? undefined : decodeURIComponent(password),
      database: Number(database),
    };
  } catch (error) {
    if (error instanceof InvalidArgument) throw error;
    throw new InvalidArgument("url is not valid: escape / ? # and @ in a user or a password by percent signs");
  }
}
