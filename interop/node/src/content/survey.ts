/** The largest integer that a double holds for sure, as text: 2^53 - 1. */
const SAFE = String(Number.MAX_SAFE_INTEGER);
const OPENINGS = [0x5b, 0x7b];
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Strings of at least this length are skipped by a search. Shorter ones are passed quicker byte by byte. */
const LONG_STRING = 48;

/** What a reader must know of a text before it parses the text as JSON. The text need not be JSON. */
export interface Survey {
  /** Lists and objects are in each other deeper than the limit. */
  readonly isDeeper: boolean;
  /** There is an integer that a double may not hold. */
  readonly hasLongInteger: boolean;
}

/** Goes through the bytes once, up to the first finding. It examines the text and not the value: if a key is there twice, the value has
 * only the last one. */
export function survey(bytes: Uint8Array, levels: number): Survey {
  const { length } = bytes;
  // In many texts, a few quick searches show that there is nothing to find.
  if (!hasLongRun(bytes) && !hasMoreBrackets(bytes, levels)) return { isDeeper: false, hasLongInteger: false };
  let depth = 0;
  for (let i = 0; i < length; i++) {
    const c = bytes[i]!;
    if (c === QUOTE) {
      i = endOfString(bytes, i);
      if (i < 0) break;
    } else if (c === 0x5b || c === 0x7b) {
      if (++depth > levels) return { isDeeper: true, hasLongInteger: false };
    } else if (c === 0x5d || c === 0x7d) depth--;
    else if (c >= 0x31 && c <= 0x39) {
      const start = i;
      while (isDigit(bytes[i + 1])) i++;
      if (i - start >= SAFE.length - 1 && isUnsafe(bytes, start, i + 1)) return { isDeeper: false, hasLongInteger: true };
    } else if (c === 0x74 || c === 0x6e) i += 3; // true, null
    else if (c === 0x66) i += 4; // false
  }
  return { isDeeper: false, hasLongInteger: false };
}

/** Whether more lists and objects begin than that; those in strings count. */
function hasMoreBrackets(bytes: Uint8Array, most: number): boolean {
  let left = most;
  for (const bracket of OPENINGS) {
    for (let at = bytes.indexOf(bracket); at >= 0; at = bytes.indexOf(bracket, at + 1)) if (--left < 0) return true;
  }
  return false;
}

/** Whether so many digits stand in a row as an integer beyond 2^53 - 1 has, also in strings. Most bytes are skipped. */
function hasLongRun(bytes: Uint8Array): boolean {
  const { length } = bytes;
  for (let end = SAFE.length - 1; end < length; ) {
    const before = end - SAFE.length;
    let at = end;
    while (at > before && isDigit(bytes[at])) at--;
    if (at === before) return true;
    end = at + SAFE.length;
  }
  return false;
}

function isDigit(c: number | undefined): boolean {
  return c !== undefined && c >= 0x30 && c <= 0x39;
}

/** Whether the digits are an integer beyond 2^53 - 1, and no part of a fraction or an exponent. */
function isUnsafe(bytes: Uint8Array, start: number, end: number): boolean {
  const before = bytes[start - 1];
  const after = bytes[end];
  const isPart = before === 0x2e || isDigit(before) || after === 0x2e || after === 0x65 || after === 0x45;
  if (isPart) return false;
  if (end - start > SAFE.length) return true;
  for (let i = 0; i < SAFE.length; i++) {
    const more = bytes[start + i]! - SAFE.charCodeAt(i);
    if (more !== 0) return more > 0;
  }
  return false;
}

/** The end of the string that begins here, or -1. */
function endOfString(bytes: Uint8Array, start: number): number {
  for (let from = start + 1; ; ) {
    const near = from + LONG_STRING;
    let i = from;
    for (; i < near; i++) {
      const c = bytes[i];
      if (c === QUOTE) return i;
      if (c === BACKSLASH) i++;
    }
    const end = bytes.indexOf(QUOTE, i);
    if (end < 0 || !isEscaped(bytes, i, end)) return end;
    from = end + 1;
  }
}

/** Whether an odd number of backslashes stands before it, from here on. */
function isEscaped(bytes: Uint8Array, from: number, at: number): boolean {
  let first = at;
  while (first > from && bytes[first - 1] === BACKSLASH) first--;
  return (at - first) % 2 === 1;
}
