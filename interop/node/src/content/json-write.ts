import { UnsendableValue } from "../errors.js";
import { MAX_DEPTH } from "./json-read.js";

/**
 * The JSON text of a value. As in JSON.stringify, `toJSON` is heeded and a property that is undefined is left out;
 * all else that JSON cannot say is refused, where JSON.stringify would write null or {} (RIPC-CONTENT-7, 8).
 */
export function writeJson(value: unknown): string {
  // JSON.stringify is quicker by far, and most values are such that it says the same.
  return isSimple(value, 0) ? JSON.stringify(value) : write(value, "", 0);
}

/** Refuses a string that UTF-8 cannot say. */
export function checkText(text: string, where = ""): void {
  if (!isWellFormed(text)) refuse(where, "is a string with a surrogate without its partner");
}

function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

/** Whether JSON.stringify writes the value as we do. It refuses nothing: what it does not know is written step by step. */
function isSimple(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
      return isWellFormed(value);
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value) && Math.abs(value) < 1e21;
    case "object":
      if (value === null) return true;
      if (depth === MAX_DEPTH || "toJSON" in value) return false;
      return Array.isArray(value) ? isSimpleList(value, depth + 1) : isSimpleObject(value, depth + 1);
    default:
      return false;
  }
}

function isSimpleList(list: readonly unknown[], depth: number): boolean {
  for (const item of list) if (!isSimple(item, depth)) return false;
  return true;
}

function isSimpleObject(object: object, depth: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const key of Object.keys(object)) {
    if (!isWellFormed(key) || !isSimple((object as Record<string, unknown>)[key], depth)) return false;
  }
  return true;
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
  // Once, as JSON.stringify does: what toJSON() gives may be the object itself.
  const said = "toJSON" in value && typeof value.toJSON === "function" ? (value as { toJSON(): unknown }).toJSON() : value;
  return typeof said === "object" && said !== null ? writePlain(said, where, depth) : write(said, where, depth);
}

function writePlain(value: object, where: string, depth: number): string {
  if (depth === MAX_DEPTH) refuse(where, `is deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) {
    return `[${Array.from(value, (item, i) => write(item, `${where}[${i}]`, depth + 1)).join(",")}]`;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    refuse(where, `is a ${nameOf(value)}, neither a plain object nor a list: give it a toJSON(), or send what is in it`);
  }
  const parts: string[] = [];
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    checkText(key, `${where}, the key`);
    parts.push(`${JSON.stringify(key)}:${write(item, `${where}.${key}`, depth + 1)}`);
  }
  return `{${parts.join(",")}}`;
}

function nameOf(value: object): string {
  const { constructor } = value as { constructor?: unknown };
  return typeof constructor === "function" ? constructor.name : "value";
}

function refuse(where: string, what: string): never {
  // A path may be as deep as the value: its end says enough.
  const place = where.length > 80 ? `…${where.slice(-80)}` : where;
  throw new UnsendableValue(`value${place} ${what}`);
}
