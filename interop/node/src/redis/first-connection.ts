import type { Command } from "../wire/commands.js";
import { RedisFault } from "../wire/faults.js";
import { Connection, type ConnectionOptions } from "./connection.js";

/** After so long, in ms, another attempt begins beside one that has not ended. */
const BESIDE_MS = 700;

/**
 * Connects. An attempt hangs where its packets got lost, also after Redis is back, so another one begins beside it. The first that ends decides, and the
 * others are given up. An attempt succeeds when Redis has replied to what it `asks`: some servers that accept a connection never answer.
 */
export async function openFirst(options: ConnectionOptions, asks: readonly Command[]): Promise<Connection> {
  const giveUp = new AbortController();
  const attempts: Promise<Connection>[] = [];
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      const attempt = () => {
        const one = Connection.open({ ...options, asks, givenUp: giveUp.signal });
        attempts.push(one);
        one.then(resolve, reject);
      };
      attempt();
      timer = setInterval(attempt, BESIDE_MS);
    });
  } finally {
    clearInterval(timer);
    giveUp.abort(new RedisFault("lost", "another attempt was quicker"));
  }
}
