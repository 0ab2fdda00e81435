// How long content of 10 MiB takes beside JSON alone, from bytes to a value and back, by shape: node --expose-gc build/test/content-speed.js [SHAPE ...]
import { decodeContent, encodeContent } from "../src/content/content.js";

const SIZE = 10 << 20;
const TIMES = 5;

/** As many as make 10 MiB. */
function list(item: (i: number) => unknown): unknown[] {
  const size = JSON.stringify(item(12345)).length + 1;
  return Array.from({ length: Math.floor(SIZE / size) }, (_, i) => item(i));
}

function nested(levels: number): unknown {
  return levels === 0 ? 1 : [nested(levels - 1)];
}

const SHAPES: Readonly<Record<string, () => unknown>> = {
  rows: () => list((i) => ({ id: i, name: `customer ${i}`, email: `c${i}@example.org`, paid: i % 2 === 0, total: i * 1.25 })),
  base64: () => ({ file: Buffer.from(Array.from({ length: 49152 }, (_, i) => (i * 7919) % 251)).toString("base64").repeat(160) }),
  ints: () => list((i) => i * 7),
  "16-digit ints": () => list((i) => 1_000_000_000_000_000 + i),
  doubles: () => list((i) => Math.sin(i)),
  timestamps: () => list((i) => ({ at: 1_700_000_000_000 + i, value: i })),
  booleans: () => list((i) => i % 3 === 0),
  strings: () => list((i) => `some text with number ${i}`),
  "digits in strings": () => list((i) => `1234567890123456${i}`),
  escapes: () => ({ text: 'line\n"quoted"\t\\'.repeat(SIZE / 20) }),
  "list of escapes": () => list((i) => `line\n"quoted"\t\\${i}`),
  unicode: () => ({ text: "grüße 日本語 😀".repeat(SIZE / 24) }),
  objects: () => list((i) => ({ a: { b: { c: { d: i } } } })),
  "one object": () => Object.fromEntries(Array.from({ length: 500_000 }, (_, i) => [`key${i}`, i])),
  "100 levels": () => list(() => nested(90)),
};

/** The least time of the processor, in ms, of each, taken by turns. */
function compare(one: () => unknown, other: () => unknown): string {
  const least = [Infinity, Infinity];
  for (let i = 0; i < TIMES; i++) {
    [one, other].forEach((run, which) => {
      globalThis.gc?.();
      const before = process.cpuUsage();
      run();
      const { user, system } = process.cpuUsage(before);
      least[which] = Math.min(least[which]!, (user + system) / 1000);
    });
  }
  const [json = 0, ours = 0] = least;
  return `${json.toFixed(0).padStart(5)} ${ours.toFixed(0).padStart(5)} ${(ours / json).toFixed(2)}`;
}

// The test runner starts every file of this folder: without --expose-gc nothing is measured.
if (globalThis.gc === undefined) process.exit(0);

const chosen = process.argv.slice(2);
console.log(`${"shape, 10 MiB".padEnd(20)} read: JSON, ours, ratio   write: JSON, ours, ratio   (ms of the processor)`);
for (const [name, make] of Object.entries(SHAPES)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  const value = make();
  const bytes = Buffer.from(JSON.stringify(value));
  const read = compare(() => JSON.parse(bytes.toString("utf8")) as unknown, () => decodeContent(bytes));
  const write = compare(() => Buffer.from(JSON.stringify(value)), () => Buffer.from(encodeContent(value)));
  console.log(`${name.padEnd(20)} ${read.padStart(22)} ${write.padStart(26)}`);
}
if (chosen.length === 0 || chosen.includes("22-digit ints")) {
  // JSON alone makes doubles of them, and writes doubles.
  const exact = Array.from({ length: SIZE / 23 }, (_, i) => 1_234_567_890_123_456_789_012n + BigInt(i));
  const bytes = Buffer.from(encodeContent(exact));
  const doubles = exact.map(Number);
  const read = compare(() => JSON.parse(bytes.toString("utf8")) as unknown, () => decodeContent(bytes));
  const write = compare(() => Buffer.from(JSON.stringify(doubles)), () => Buffer.from(encodeContent(exact)));
  console.log(`${"22-digit ints".padEnd(20)} ${read.padStart(22)} ${write.padStart(26)}`);
}
