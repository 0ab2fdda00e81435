import { readFileSync } from "node:fs";

import { readJson, type Json } from "../src/index.js";

/** The tables of conformance/vectors, and what their `$` forms stand for. */

export interface Case {
  readonly name: string;
  readonly use: readonly string[];
  readonly value?: Json;
  readonly text?: Json;
  readonly acceptable?: Json[];
  readonly event?: string;
  readonly params?: Record<string, Json>;
  readonly content?: Json;
  readonly reason?: string;
}

interface Table {
  readonly cases: Case[];
  readonly large?: Case[];
  readonly events?: Record<string, string[]>;
}

export function table(name: "content" | "channel"): Table {
  const file = new URL(`../../../../conformance/vectors/${name}.json`, import.meta.url);
  return readJson(readFileSync(file, "utf8")) as unknown as Table;
}

export function casesFor(use: string, cases: readonly Case[]): Case[] {
  return cases.filter((one) => one.use.includes(use));
}

export function valueOf(form: Json | undefined): Json {
  if (Array.isArray(form)) return form.map(valueOf);
  if (typeof form !== "object" || form === null) return form ?? null;
  if ("$parse" in form) return readJson(form.$parse as string);
  if ("$nest" in form) return nest(Number(form.$nest), form.in as string);
  if ("$repeat" in form) return repeat(valueOf(form.$repeat), Number(form.times));
  if ("$text" in form) return JSON.stringify(valueOf(form.$text));
  return Object.fromEntries(Object.entries(form).map(([key, item]) => [key, valueOf(item)]));
}

export function bytesOf(form: Json | undefined): Buffer {
  if (typeof form === "object" && form !== null && "$hex" in form) {
    return Buffer.from((form as { $hex: string }).$hex.replaceAll(" ", ""), "hex");
  }
  return Buffer.from(valueOf(form) as string);
}

function nest(levels: number, how: string): Json {
  let value: Json = how === "object" ? {} : [];
  for (let i = 1; i < levels; i++) value = how === "object" ? { a: value } : [value];
  return value;
}

function repeat(what: Json, times: number): Json {
  if (typeof what === "string") return what.repeat(times);
  return Array.from({ length: times }, () => what as Json[]).flat();
}

/** Numbers compared by value, whatever type they were read as. */
export function canonical(value: Json): Json {
  if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)) return BigInt(value);
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value === 0 ? 0 : value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, canonical(item)]));
}
