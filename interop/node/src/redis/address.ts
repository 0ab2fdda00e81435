import { InvalidArgument } from "../errors.js";
import { shown } from "../given.js";

const PORT = "the port in url must be a number from 1 to 65535";
/** Redis reads no higher number, and says then that a value is out of range, not which. */
const HIGHEST_DATABASE = 2 ** 31 - 1;
const EXAMPLE = "redis://localhost:6379/0";

/** The address of Redis, and the user that logs in. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
}

/** Reads `redis://[[user]:password@]host[:port][/database]`. Throws InvalidArgument. */
export function addressOf(url: unknown): Address {
  if (typeof url !== "string") throw new InvalidArgument(`url must be a string, such as ${EXAMPLE}, not ${shown(url)}`);
  if (!/^rediss?:\/\//.test(url)) {
    // Only this is shown, since the rest may have a password.
    const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(url)?.[0];
    throw new InvalidArgument(`url must begin with redis:// or rediss://${scheme === undefined ? "" : `, not ${scheme}`}; write ${EXAMPLE}`);
  }
  try {
    const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(url);
    if (search !== "" || hash !== "") {
      throw new InvalidArgument(`url must have neither ? nor #: the database stands behind the host, as in ${EXAMPLE}, and all else is an option`);
    }
    if (port === "0") throw new InvalidArgument(PORT);
    const database = pathname.replace(/^\//, "");
    if (!/^\d*$/.test(database)) throw new InvalidArgument(`the database in url must be a number, not ${JSON.stringify(database)}`);
    if (Number(database) > HIGHEST_DATABASE) throw new InvalidArgument(`no server has a database above ${HIGHEST_DATABASE}, as url says`);
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
    // Behind the port there is no @, so that it is no part of a password.
    if (Number(/^rediss?:\/\/(?:[^/]*@)?(?:\[[^\]]*\]|[^/:@]*):(\d+)(?:\/[^@]*)?$/.exec(url)?.[1]) > 65535) throw new InvalidArgument(PORT);
    throw new InvalidArgument("url is not valid: escape / ? # and @ in a user or a password by percent signs");
  }
}
