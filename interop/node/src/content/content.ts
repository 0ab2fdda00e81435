import { isUtf8 } from "node:buffer";

import type { Json } from "./json.js";
import { MAX_DEPTH, hasLoneSurrogate, isDeeper, readJson } from "./json-read.js";
import { checkText, writeJson } from "./json-write.js";

const MUST_BE_QUOTED = /^[ \t\n\r]*[{["\-0-9tfn/]/;
const COULD_BE_JSON = /^[ \t\n\r]*[{["\-0-9tfn]/;

/** The field `content` for a value (SPEC.md section 5). Throws UnsendableValue for what JSON cannot say. */
export function encodeContent(value: unknown): string {
  if (typeof value !== "string" || MUST_BE_QUOTED.test(value)) return writeJson(value);
  checkText(value);
  return value;
}

/** What a reader makes of the field `content`: the value of a JSON text, else the string that the text is. */
export function decodeContent(bytes: Buffer): Json {
  const text = bytes.toString("utf8");
  if (!COULD_BE_JSON.test(text) || !isUtf8(bytes)) return text;
  // Both are looked at in the text: where a key stands twice, the value lacks what stood there first.
  if (isDeeper(text, MAX_DEPTH)) return text;
  try {
    const value = readJson(text);
    return hasLoneSurrogate(text) ? text : value;
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
