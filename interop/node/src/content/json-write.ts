import { UnsendableValue } from "../errors.js";
import { MAX_DEPTH } from "./json-read.js";

/**
 * The JSON text of a value. As in JSON.stringify, `toJSON` is heeded and a property that is undefined is left out;
 * everything else that JSON cannot represent is refused, while JSON.stringify would write null or {} (RIPC-CONTENT-7, 8).
 */
export function writeJson(value: unknown): string {
  // JSON.stringify is much quicker, and gives the same text for most values.
  if (isSimple(value, 0)) {
    const text = JSON.stringify(value);
    if (!text.includes("\\") || !LONE_SURROGATE.test(text)) return text;
  }
  return new Writer().write(value, 0);
}

/** Refuses a string that UTF-8 cannot represent. */
export function checkText(text: string): void {
  if (!isWellFormed(text)) throw new UnsendableValue(`value ${NOT_TEXT}`);
}

/** JSON.stringify writes a surrogate without its partner like this. If the text itself contains this, the value is written step by step. */
const LONE_SURROGATE = /\\ud[89a-f]/;
const NOT_TEXT = "is a string with a surrogate without its partner";

function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

/** Whether JSON.stringify writes the value as we do, strings aside. It refuses nothing: unknown values are written step by step. */
function isSimple(value: unknown, depth: number): boolean {
  // V8 has quick code for such comparisons, and none for a switch by typeof.
  if (typeof value === "number") return value < 1e21 && value > -1e21; // nor is it NaN
  if (typeof value === "string" || typeof value === "boolean" || value === null) return true;
  if (typeof value !== "object" || depth === MAX_DEPTH) return false;
  return Array.isArray(value) ? isSimpleList(value, depth + 1) : isSimpleObject(value, depth + 1);
}

function isSimpleList(list: readonly unknown[], depth: number): boolean {
  if ((list as { toJSON?: unknown }).toJSON !== undefined) return false;
  const { length } = list;
  for (let i = 0; i < length; i++) {
    const item = list[i];
    if (typeof item === "number") {
      if (!(item < 1e21 && item > -1e21)) return false;
    } else if (typeof item !== "string" && typeof item !== "boolean" && item !== null && !isSimple(item, depth)) return false;
  }
  return true;
}

function isSimpleObject(object: object, depth: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  if ((prototype !== Object.prototype && prototype !== null) || (object as { toJSON?: unknown }).toJSON !== undefined) return false;
  // Properties of prototypes are examined, too, which does no harm.
  for (const key in object) {
    const item: unknown = (object as Record<string, unknown>)[key];
    if (typeof item === "number") {
      if (!(item < 1e21 && item > -1e21)) return false;
    } else if (typeof item !== "string" && typeof item !== "boolean" && item !== null && !isSimple(item, depth)) return false;
  }
  return true;
}

/** Writes step by step, and refuses what JSON cannot represent. */
class Writer {
  /** The position in the value: the keys and indexes of the levels above. */
  private readonly path: (string | number)[] = [];

  write(value: unknown, depth: number): string {
    switch (typeof value) {
      case "string":
        if (!isWellFormed(value)) this.refuse(depth, NOT_TEXT);
        return JSON.stringify(value);
      case "boolean":
        return value ? "true" : "false";
      case "bigint":
        return value.toString();
      case "number":
        return this.number(value, depth);
      case "object":
        return value === null ? "null" : this.object(value, depth);
      default:
        return this.refuse(depth, `is of the type ${typeof value}, which JSON does not have`);
    }
  }

  private number(value: number, depth: number): string {
    if (!Number.isFinite(value)) this.refuse(depth, `is ${value}, which JSON does not have`);
    // JSON.stringify would write 1e+21; an integer is to have digits only (RIPC-CONTENT-11).
    return Number.isInteger(value) && Math.abs(value) >= 1e21 ? BigInt(value).toString() : JSON.stringify(value);
  }

  private object(value: object, depth: number): string {
    // Called once, as by JSON.stringify: toJSON() may return the object itself.
    const said = "toJSON" in value && typeof value.toJSON === "function" ? (value as { toJSON(): unknown }).toJSON() : value;
    if (typeof said !== "object" || said === null) return this.write(said, depth);
    if (depth === MAX_DEPTH) this.refuse(depth, `is deeper than ${MAX_DEPTH} levels`);
    return Array.isArray(said) ? this.list(said, depth) : this.plain(said, depth);
  }

  private list(list: readonly unknown[], depth: number): string {
    let text = "[";
    for (let i = 0; i < list.length; i++) {
      this.path[depth] = i;
      if (i > 0) text += ",";
      text += this.write(list[i], depth + 1);
    }
    return `${text}]`;
  }

  private plain(object: object, depth: number): string {
    const prototype: unknown = Object.getPrototypeOf(object);
    if (prototype !== Object.prototype && prototype !== null) {
      this.refuse(depth, `is a ${nameOf(object)}, neither a plain object nor a list: give it a toJSON(), or send what is in it`);
    }
    let text = "{";
    for (const [key, item] of Object.entries(object)) {
      if (item === undefined) continue;
      if (!isWellFormed(key)) this.refuse(depth, `has a key that ${NOT_TEXT}`);
      this.path[depth] = key;
      text += `${text === "{" ? "" : ","}${JSON.stringify(key)}:${this.write(item, depth + 1)}`;
    }
    return `${text}}`;
  }

  private refuse(depth: number, what: string): never {
    const where = this.path.slice(0, depth).map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("");
    // A path may be as deep as the value: its end says enough.
    const place = where.length > 80 ? `…${where.slice(-80)}` : where;
    throw new UnsendableValue(`value${place} ${what}`);
  }
}

function nameOf(value: object): string {
  const { constructor } = value as { constructor?: unknown };
  return typeof constructor === "function" ? constructor.name : "value";
}
