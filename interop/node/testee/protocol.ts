// The protocol: lines of JSON-RPC 2.0 (conformance/docs/testee-protocol.md).
import { readJson } from "redisipc";

export type Params = Record<string, unknown>;
export type Method = (params: Params) => Promise<Params>;

/** What a port gives the protocol: its methods, each with the parameters that it cannot do without. */
export interface Methods {
  readonly methods: Readonly<Record<string, readonly [method: Method, ...required: string[]]>>;
}

interface Call {
  readonly id: number;
  readonly method: string;
  readonly params?: Params;
}

/** Calls back for each line of stdin. Not with node:readline, which takes U+2028 for the end of a line. */
export function onLine(callback: (line: string) => void): void {
  let parts: Buffer[] = [];
  process.stdin.on("data", (chunk: Buffer) => {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      callback(Buffer.concat([...parts, chunk.subarray(start, end)]).toString("utf8"));
      parts = [];
      start = end + 1;
    }
    parts.push(chunk.subarray(start));
  });
  process.stdin.on("end", () => process.exit(0)); // the runner is gone
}

export async function answer({ methods }: Methods, line: string): Promise<{ reply: Params; last: boolean }> {
  const { id, method, params = {} } = readJson(line) as unknown as Call;
  const [run, ...required] = (Object.hasOwn(methods, method) ? methods[method] : undefined) ?? [];
  if (run === undefined) return { reply: { id, error: { code: -32601, message: `no method ${method}` } }, last: false };
  const missing = required.filter((name) => !Object.hasOwn(params, name));
  if (missing.length > 0) {
    return { reply: { id, error: { code: -32602, message: `missing ${missing.join(", ")}` } }, last: false };
  }
  try {
    return { reply: { id, result: await run(params) }, last: method === "shutdown" };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { reply: { id, error: { code: -32000, message } }, last: false };
  }
}

export function notify(method: string, params: Params): void {
  write({ method, params });
}

/** The callback is called when the line is in the hands of the operating system. */
export function write(message: Params, then?: () => void): void {
  process.stdout.write(`${textOf({ jsonrpc: "2.0", ...message })}\n`, then);
}

/** JSON.stringify makes null of an infinity and refuses a bigint; the runner wants to see both. */
function textOf(value: unknown): string {
  if (typeof value === "bigint") return value.toString();
  if (value === Infinity || value === -Infinity) return value > 0 ? "1e999" : "-1e999";
  if (Array.isArray(value)) return `[${value.map(textOf).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const present = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{${present.map(([key, item]) => `${JSON.stringify(key)}:${textOf(item)}`).join(",")}}`;
}
