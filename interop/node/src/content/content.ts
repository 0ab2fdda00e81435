import { isAscii, isUtf8 } from "node:buffer";

import { UnsendableValue } from "../errors.js";
import type { Json } from "../json.js";
import { MAX_DEPTH, hasLoneSurrogate, readExactly } from "./json-read.js";
import { checkText, writeJson } from "./json-write.js";
import { type Survey, survey } from "./survey.js";

const MUST_BE_QUOTED = /^[ \t\n\r]*[{["\-0-9tfn/]/;
const COULD_BE_JSON = /^[ \t\n\r]*([{["\-0-9tfn])/;
/** A text that begins like this has only one value, and is not an integer. */
const SINGLE = '"tfn';
const BACKSLASH = 0x5c;
const NOTHING_ODD: Survey = { isDeeper: false, hasLongInteger: false };

/** The field `content` for a value (SPEC.md section 5). Throws UnsendableValue for what JSON cannot represent. */
export function encodeContent(value: unknown): string {
  if (typeof value !== "string") return written(value);
  if (MUST_BE_QUOTED.test(value)) return writeJson(value);
  checkText(value);
  return value;
}

function written(value: unknown): string {
  try {
    return writeJson(value);
  } catch (error) {
    throw unsendable(error);
  }
}

/** Getters, toJSON() and proxies of the user throw what they like. Its text may be secret, and is in the cause alone. */
function unsendable(error: unknown): UnsendableValue {
  let kind = "something that cannot be read";
  try {
    if (error instanceof UnsendableValue) return error;
    kind = error instanceof Error ? error.name : `a value of the type ${typeof error}`;
    if (error instanceof RangeError && error.message === "Invalid string length") {
      return new UnsendableValue("value is too long: Node.js has no string that holds its text", { cause: error });
    }
  } catch {
    // A proxy's trap throws.
  }
  return new UnsendableValue(`value cannot be written: a getter, a toJSON() or a proxy in it threw ${kind}`, { cause: error });
}

/** What a reader makes of the field `content`: the value of a JSON text, else the string that the text is. */
export function decodeContent(bytes: Buffer): Json {
  const ascii = isAscii(bytes);
  const text = bytes.toString(ascii ? "latin1" : "utf8"); // the same, and many times as quick
  const first = COULD_BE_JSON.exec(text)?.[1];
  if (first === undefined || !(ascii || isUtf8(bytes))) return text;
  const found = SINGLE.includes(first) ? NOTHING_ODD : survey(bytes, MAX_DEPTH);
  if (found.isDeeper) return text;
  try {
    const value = found.hasLongInteger ? readExactly(text, MAX_DEPTH) : (JSON.parse(text) as Json);
    return bytes.includes(BACKSLASH) && hasLoneSurrogate(text) ? text : value;
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
