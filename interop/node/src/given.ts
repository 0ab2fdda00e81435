/** Checks of what callers without types give: each says what was expected and what came. */
import { InvalidArgument } from "./errors.js";

/** Refuses what is not an object, and unknown names: otherwise a misspelt option would silently have its default. */
export function checkOptions(what: string, given: unknown, known: readonly string[]): void {
  if (typeof given !== "object" || given === null) throw new InvalidArgument(`${what} must be an object, not ${shown(given)}`);
  const wrong = Object.keys(given).find((name) => !known.includes(name));
  if (wrong === undefined) return;
  const close = known.find((name) => isClose(name.toLowerCase(), wrong.toLowerCase()));
  throw new InvalidArgument(`there is no option ${wrong} in ${what}: ${close === undefined ? `it takes ${known.join(", ")}` : `did you mean ${close}?`}`);
}

export function checkFunction(what: string, given: unknown): void {
  if (typeof given !== "function") throw new InvalidArgument(`${what} must be a function, not ${shown(given)}`);
}

/** RIPC-TIME-3 */
export function checkTime(what: string, ms: unknown): asserts ms is number {
  if (typeof ms !== "number" || !Number.isFinite(ms) || ms <= 0) {
    throw new InvalidArgument(`${what} must be a finite number of milliseconds above 0, not ${shown(ms)}`);
  }
}

/** Throws InvalidArgument for anything but a whole number from `least` on. */
export function checkCount(what: string, count: unknown, least: number): void {
  if (typeof count !== "number" || !Number.isInteger(count) || count < least) {
    throw new InvalidArgument(`${what} must be a whole number from ${least} on, not ${shown(count)}`);
  }
}

/** Throws InvalidArgument for anything but true and false: "no" would count as true. */
export function checkFlag(what: string, given: unknown): void {
  if (typeof given !== "boolean") throw new InvalidArgument(`${what} must be true or false, not ${shown(given)}`);
}

/** Options of the socket, as node:tls takes them. Throws InvalidArgument. */
export function checkTls(given: unknown): void {
  if (given === undefined || (typeof given === "object" && given !== null && !Array.isArray(given))) return;
  throw new InvalidArgument(`tls must be an object of TLS options, not ${shown(given)}; for TLS without options write rediss:// in url`);
}

/** A value for a message: a text is quoted, so that "5" is not 5, and of an object only its kind is told. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  if (typeof value === "bigint") return `${value}n`;
  return typeof value === "function" ? "a function" : String(value);
}

/** One begins with the other, or they differ by one letter. */
function isClose(one: string, other: string): boolean {
  if (one.startsWith(other) || other.startsWith(one)) return true;
  let begin = 0;
  while (begin < one.length && one[begin] === other[begin]) begin++;
  const rests = [one.slice(begin), other.slice(begin)] as const;
  return rests[0].slice(1) === rests[1] || rests[0] === rests[1].slice(1) || rests[0].slice(1) === rests[1].slice(1);
}
