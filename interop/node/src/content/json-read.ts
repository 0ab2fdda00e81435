import type { Json } from "./json.js";

/** Deeper JSON is no JSON to a reader, and refused by a writer (RIPC-CONTENT-6, 7). */
export const MAX_DEPTH = 100;

const LONG_NUMBER = /\d{16}/;
const INTEGER = /^-?\d+$/;
/** Making a bigint takes time by the square of its digits, and contents come from others: longer ones are doubles. */
const LONGEST_INTEGER = 1000;
const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/y;
const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|[^u])/g;

/**
 * The value of one JSON text (RFC 8259); throws a SyntaxError where it is none.
 * Unlike JSON.parse it reads every integer exactly: those beyond 2^53 - 1 become a bigint (RIPC-CONTENT-10).
 */
export function readJson(text: string): Json {
  const value = JSON.parse(text) as Json;
  // A second pass only where a number may have been rounded: it reads what is known to be JSON.
  return LONG_NUMBER.test(text) ? new ExactReader(text).read() : value;
}

/** How many lists and objects are in each other at most. The text need not be JSON. */
export function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 0x5c) i++;
      else if (c === 0x22) inString = false;
    } else if (c === 0x22) inString = true;
    else if (c === 0x5b || c === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (c === 0x5d || c === 0x7d) depth--;
  }
  return deepest;
}

/** Whether a JSON text has an escaped surrogate without its partner (RIPC-CONTENT-13). */
export function hasLoneSurrogate(text: string): boolean {
  if (!text.includes("\\u")) return false;
  let expected = -1; // where the low half must stand
  for (const match of text.matchAll(ESCAPE)) {
    const unit = match[1] === undefined ? 0 : parseInt(match[1], 16);
    const low = unit >= 0xdc00 && unit <= 0xdfff;
    if (expected >= 0 && !(low && match.index === expected)) return true;
    if (low && expected < 0) return true;
    expected = unit >= 0xd800 && unit <= 0xdbff ? match.index + match[0].length : -1;
  }
  return expected >= 0;
}

/** Reads a text that JSON.parse accepted, so it needs to refuse nothing. */
class ExactReader {
  private at = 0;

  constructor(private readonly text: string) {}

  read(): Json {
    this.skipSpace();
    const c = this.text[this.at];
    if (c === "[") return this.list();
    if (c === "{") return this.object();
    if (c === '"') return this.string();
    return this.scalar();
  }

  private list(): Json[] {
    const list: Json[] = [];
    while (this.next("]")) list.push(this.read());
    return list;
  }

  private object(): Record<string, Json> {
    const object: Record<string, Json> = {};
    while (this.next("}")) {
      const key = this.string();
      this.skipSpace();
      this.at++; // the colon
      // An assignment to __proto__ would not make a key.
      Object.defineProperty(object, key, { value: this.read(), writable: true, enumerable: true, configurable: true });
    }
    return object;
  }

  /** Steps over the opening bracket or a comma; false at the end, which it steps over as well. */
  private next(end: string): boolean {
    this.skipSpace();
    if (this.text[this.at] === end) {
      this.at++;
      return false;
    }
    this.at++;
    this.skipSpace();
    if (this.text[this.at] !== end) return true;
    this.at++;
    return false;
  }

  private string(): string {
    STRING.lastIndex = this.at;
    const literal = STRING.exec(this.text)?.[0] ?? "";
    this.at += literal.length;
    return JSON.parse(literal) as string;
  }

  private scalar(): Json {
    const start = this.at;
    while (this.at < this.text.length && !" \t\n\r,]}".includes(this.text.charAt(this.at))) this.at++;
    const word = this.text.slice(start, this.at);
    if (!INTEGER.test(word)) return JSON.parse(word) as Json;
    const number = Number(word);
    return Number.isSafeInteger(number) || word.length > LONGEST_INTEGER ? number : BigInt(word);
  }

  private skipSpace(): void {
    while (" \t\n\r".includes(this.text.charAt(this.at)) && this.at < this.text.length) this.at++;
  }
}
