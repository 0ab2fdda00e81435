import { survey } from "./survey.js";
import type { Json } from "../json.js";

/** A reader treats deeper JSON as text, and a writer refuses it (RIPC-CONTENT-6, 7). */
export const MAX_DEPTH = 100;

/** Without a limit, a text is read exactly up to this depth, since the parser uses the stack. */
const MAX_EXACT_DEPTH = 1000;
/** Making a bigint takes time that grows with the square of its digits, and contents come from others. So longer ones become doubles. */
const LONGEST_INTEGER = 1000;
/** Integers of fewer digits are safe to add up. */
const SHORT_INTEGER = 15;
/** Up to this length a string is read character by character. */
const SHORT_STRING = 48;
/** The escape of a surrogate, or what looks like one. */
const SURROGATE = /\\u[dD][89a-fA-F]/;

/**
 * The value of one JSON text (RFC 8259); throws a SyntaxError for any other text.
 * Unlike JSON.parse it reads every integer exactly: those beyond 2^53 - 1 become a bigint (RIPC-CONTENT-10).
 */
export function readJson(text: string): Json {
  if (!survey(Buffer.from(text), Infinity).hasLongInteger) return JSON.parse(text) as Json;
  try {
    return readExactly(text, MAX_EXACT_DEPTH);
  } catch (error) {
    if (error instanceof TooDeep) return JSON.parse(text) as Json;
    throw error;
  }
}

/** The same, and a SyntaxError where lists and objects are in each other deeper than that. */
export function readExactly(text: string, levels: number): Json {
  return new ExactReader(text, levels).read();
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
    at = text.charCodeAt(next) === 0x5c ? next : text.indexOf("\\", next);
  }
  return expected >= 0;
}

class TooDeep extends SyntaxError {}

/** Reads as JSON.parse does, but for integers. Refuses what JSON.parse refuses. */
class ExactReader {
  private at = 0;
  private depth = 0;

  constructor(
    private readonly text: string,
    private readonly levels: number,
  ) {}

  read(): Json {
    const value = this.value();
    if (this.skipSpace() === this.text.length) return value;
    return this.fail();
  }

  private value(): Json {
    switch (this.text.charCodeAt(this.skipSpace())) {
      case 0x7b:
        return this.object();
      case 0x5b:
        return this.list();
      case 0x22:
        return this.string();
      case 0x74:
        return this.word("true", true);
      case 0x66:
        return this.word("false", false);
      case 0x6e:
        return this.word("null", null);
      default:
        return this.number();
    }
  }

  private list(): Json[] {
    const list: Json[] = [];
    this.enter();
    if (this.leaves(0x5d)) return list;
    do list.push(this.value());
    while (this.isNext(0x2c));
    return this.leaves(0x5d) ? list : this.fail();
  }

  private object(): Record<string, Json> {
    const object: Record<string, Json> = {};
    this.enter();
    if (this.leaves(0x7d)) return object;
    do {
      if (this.text.charCodeAt(this.skipSpace()) !== 0x22) this.fail();
      const key = this.string();
      if (!this.isNext(0x3a)) this.fail();
      const value = this.value();
      // An assignment to __proto__ would not make a key.
      if (key === "__proto__") Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
      else object[key] = value;
    } while (this.isNext(0x2c));
    return this.leaves(0x7d) ? object : this.fail();
  }

  /** Steps over the opening bracket. */
  private enter(): void {
    this.at++;
    if (++this.depth > this.levels) throw new TooDeep(`the text is deeper than ${this.levels} levels`);
  }

  /** Steps over the closing one, if it comes next. */
  private leaves(bracket: number): boolean {
    const does = this.isNext(bracket);
    if (does) this.depth--;
    return does;
  }

  private string(): string {
    const { text } = this;
    const start = this.at;
    for (let i = start + 1; i < start + SHORT_STRING; i++) {
      const c = text.charCodeAt(i);
      if (c === 0x22) {
        this.at = i + 1;
        return text.slice(start + 1, i);
      }
      if (c === 0x5c || c < 0x20) break;
    }
    return this.longString(start);
  }

  /** With escapes, or long: its end is searched for, and JSON.parse reads it. */
  private longString(start: number): string {
    for (let end = this.text.indexOf('"', start + 1); end >= 0; end = this.text.indexOf('"', end + 1)) {
      let first = end;
      while (this.text.charCodeAt(first - 1) === 0x5c) first--;
      if ((end - first) % 2 === 1) continue;
      this.at = end + 1;
      return JSON.parse(this.text.slice(start, end + 1)) as string;
    }
    return this.fail();
  }

  private number(): Json {
    const start = this.at;
    const isNegative = this.text.charCodeAt(start) === 0x2d;
    if (isNegative) this.at++;
    const first = this.at;
    const sum = this.digits();
    const count = this.at - first;
    if (count === 0 || (count > 1 && this.text.charCodeAt(first) === 0x30)) this.fail();
    if (this.fraction()) return Number(this.text.slice(start, this.at));
    if (count <= SHORT_INTEGER) return isNegative ? -sum : sum;
    const word = this.text.slice(start, this.at);
    if (count > SHORT_INTEGER + 1 && count <= LONGEST_INTEGER) return BigInt(word);
    const number = Number(word);
    return Number.isSafeInteger(number) || count > LONGEST_INTEGER ? number : BigInt(word);
  }

  /** Steps over digits. Returns their number, if there are few. */
  private digits(): number {
    let sum = 0;
    for (let c = this.text.charCodeAt(this.at); c >= 0x30 && c <= 0x39; c = this.text.charCodeAt(++this.at)) sum = sum * 10 + c - 0x30;
    return sum;
  }

  /** Steps over a fraction and an exponent; whether there was one of them. */
  private fraction(): boolean {
    const start = this.at;
    if (this.text.charCodeAt(this.at) === 0x2e) {
      this.at++;
      this.someDigits();
    }
    if ((this.text.charCodeAt(this.at) | 0x20) === 0x65) {
      const sign = this.text.charCodeAt(++this.at);
      if (sign === 0x2b || sign === 0x2d) this.at++;
      this.someDigits();
    }
    return this.at > start;
  }

  private someDigits(): void {
    const start = this.at;
    this.digits();
    if (this.at === start) this.fail();
  }

  private word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) this.fail();
    this.at += word.length;
    return value;
  }

  /** Steps over white space and this character, if it comes next. */
  private isNext(character: number): boolean {
    if (this.text.charCodeAt(this.skipSpace()) !== character) return false;
    this.at++;
    return true;
  }

  private skipSpace(): number {
    for (let c = this.text.charCodeAt(this.at); c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09; ) c = this.text.charCodeAt(++this.at);
    return this.at;
  }

  private fail(): never {
    throw new SyntaxError(`the text is not JSON at position ${this.at}`);
  }
}
