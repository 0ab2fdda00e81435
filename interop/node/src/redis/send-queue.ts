import { readFileSync } from "node:fs";
import type { Socket } from "node:net";

/** The tables of TCP connections, where the system has them (Linux). */
const TABLES = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];

/**
 * How many bytes of a socket the other side has not acknowledged yet. Undefined if the system does not tell: then it is unknown whether the
 * sent bytes move.
 */
export function unacknowledged({ localPort, remotePort }: Pick<Socket, "localPort" | "remotePort">, tables: readonly string[] = TABLES): number | undefined {
  if (localPort === undefined || remotePort === undefined) return undefined;
  // A line: number, local address and port, remote ones, state, bytes to be sent and to be read.
  const ports = new RegExp(`^ *\\d+: [0-9A-F]+:${hex(localPort)} [0-9A-F]+:${hex(remotePort)} [0-9A-F]{2} ([0-9A-F]{8}):`, "m");
  for (const table of tables) {
    const found = ports.exec(textOf(table))?.[1];
    if (found !== undefined) return parseInt(found, 16);
  }
  return undefined;
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, "0");
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
