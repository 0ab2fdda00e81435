import { readFileSync } from "node:fs";

/** A table of SPEC.md as data: a file of schemas/1.0/tables. */
export function loadTable(name: string): unknown {
  // From the compiled test, build/test/tables.js.
  return JSON.parse(readFileSync(new URL(`../../../../schemas/1.0/tables/${name}.json`, import.meta.url), "utf8"));
}
