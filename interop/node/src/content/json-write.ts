import { UnsendableValue } from "../errors.js";
import { MAX_DEPTH } from "./json-read.js";

const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * The JSON text of a value. As in JSON.stringify, `toJSON` is heeded and a property that is undefined is left out;
 * all else that JSON cannot say is refused, where JSON.stringify would write null or {} (RIPC-CONTENT-7, 8).
 */
export function writeJson(value: unknown): string {
  return write(value, "", 0);
}

/** Refuses a string that UTF-8 cannot say. */
export function checkText(text: string, where = ""): void {
  if (LONE_SURROGATE.test(text)) refuse(where, "is a string with a surrogate without its partner");
}

function write(value: unknown, where: string, depth: number): string {
  switch (typeof value) {
    case "string":
      checkText(value, where);
      return JSON.stringify(value);
    case "boolean":
      return value ? "true" : "false";
    case "bigint":
      return value.toString();
    case "number":
      return writeNumber(value, where);
    case "object":
      return value === null ? "null" : writeObject(value, where, depth);
    default:
      return refuse(where, `is of the type ${typeof value}, which JSON does not have`);
  }
}

function writeNumber(value: number, where: string): string {
  if (!Number.isFinite(value)) refuse(where, `is ${value}, which JSON does not have`);
  // JSON.stringify would write 1e+21; an integer is to have digits only (RIPC-CONTENT-11).
  return Number.isInteger(value) && Math.abs(value) >= 1e21 ? BigInt(value).toString() : JSON.stringify(value);
}

function writeObject(value: object, where: string, depth: number): string {
  if ("toJSON" in value && typeof value.toJSON === "function") {
    return write((value.toJSON as () => unknown)(), where, depth);
  }
  if (depth === MAX_DEPTH) refuse(where, `is deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) {
    return `[${Array.from(value, (item, i) => write(item, `${where}[${i}]`, depth + 1)).join(",")}]`;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    refuse(where, `is a ${value.constructor.name}, neither a plain object nor a list: give it a toJSON(), or send what is in it`);
  }
  const parts: string[] = [];
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    checkText(key, `${where}, the key`);
    parts.push(`${JSON.stringify(key)}:${write(item, `${where}.${key}`, depth + 1)}`);
  }
  return `{${parts.join(",")}}`;
}

function refuse(where: string, what: string): never {
  // A path may be as deep as the value: its end says enough.
  const place = where.length > 80 ? `…${where.slice(-80)}` : where;
  throw new UnsendableValue(`value${place} ${what}`);
}
