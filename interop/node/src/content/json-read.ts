import type { Json } from "./json.js";

/** Deeper JSON is no JSON to a reader, and refused by a writer (RIPC-CONTENT-6, 7). */
export const MAX_DEPTH = 100;

const LONG_NUMBER = /\d{16}/;
/** An integer that JSON.parse may have rounded; inside a string it costs time only. */
const LONG_INTEGER = /(?:^|[[,:\s])-?\d{16,}(?:$|[\],}\s])/;
const INTEGER = /^-?\d+$/;
/** Making a bigint takes time by the square of its digits, and contents come from others: longer ones are doubles. */
const LONGEST_INTEGER = 1000;
/** The escape of a surrogate, or what looks like one. */
const SURROGATE = /\\u[dD][89a-fA-F]/;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * The value of one JSON text (RFC 8259); throws a SyntaxError where it is none.
 * Unlike JSON.parse it reads every integer exactly: those beyond 2^53 - 1 become a bigint (RIPC-CONTENT-10).
 */
export function readJson(text: string): Json {
  const value = JSON.parse(text) as Json;
  // A second pass only where a number may have been rounded: it reads what is known to be JSON.
  return LONG_NUMBER.test(text) && LONG_INTEGER.test(text) ? new ExactReader(text).read() : value;
}

/** Whether lists and objects are in each other deeper than that. The text need not be JSON. */
export function isDeeper(text: string, levels: number): boolean {
  if (!hasMore(text, "[", "{", levels)) return false;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) {
      i = endOfString(text, i);
      if (i < 0) return false;
    } else if (c === 0x5b || c === 0x7b) {
      if (++depth > levels) return true;
    } else if (c === 0x5d || c === 0x7d) depth--;
  }
  return false;
}

/** Whether both characters together stand there more often than that. */
function hasMore(text: string, one: string, other: string, times: number): boolean {
  let left = times;
  for (const character of [one, other]) {
    for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) if (--left < 0) return true;
  }
  return false;
}

/** Where the string ends that begins here; -1 where it does not. Most strings have no escape, and are skipped at once. */
function endOfString(text: string, start: number): number {
  let end = start;
  do {
    end = text.indexOf('"', end + 1);
  } while (end >= 0 && isEscaped(text, end));
  return end;
}

function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text.charCodeAt(first - 1) === BACKSLASH) first--;
  return (at - first) % 2 === 1;
}

/** Whether a JSON text has an escaped surrogate without its partner (RIPC-CONTENT-13). */
export function hasLoneSurrogate(text: string): boolean {
  if (!SURROGATE.test(text)) return false;
  let expected = -1; // where the low half must stand
  for (let at = text.indexOf("\\"); at >= 0; ) {
    const long = text.charCodeAt(at + 1) === 0x75;
    const half = long && (text.charCodeAt(at + 2) | 0x20) === 0x64 ? text.charCodeAt(at + 3) | 0x20 : 0;
    const low = half >= 0x63; // \uDC00 to \uDFFF
    const high = half === 0x38 || half === 0x39 || half === 0x61 || half === 0x62; // \uD800 to \uDBFF
    if (expected >= 0 && !(low && at === expected)) return true;
    if (low && expected < 0) return true;
    const next = at + (long ? 6 : 2);
    expected = high ? next : -1;
    at = text.charCodeAt(next) === BACKSLASH ? next : text.indexOf("\\", next);
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
      const value = this.read();
      // An assignment to __proto__ would not make a key.
      if (key === "__proto__") Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
      else object[key] = value;
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
    const start = this.at;
    const end = endOfString(this.text, start);
    this.at = end + 1;
    const inside = this.text.slice(start + 1, end);
    return inside.includes("\\") ? (JSON.parse(`"${inside}"`) as string) : inside;
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
    for (;;) {
      const c = this.text.charCodeAt(this.at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
      this.at++;
    }
  }
}
