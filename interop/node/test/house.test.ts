import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";

/** From the compiled test, build/test/house.test.js. */
const ROOT = fileURLToPath(new URL("../../src/", import.meta.url));
const MOST_LINES = 350;

const files = new Map(
  readdirSync(ROOT, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => [name.replaceAll("\\", "/"), readFileSync(join(ROOT, name), "utf8")]),
);

/** What a file imports when it runs: types are gone by then. */
function importsOf(name: string): string[] {
  const statements = (files.get(name) ?? "").matchAll(/^(?:import|export) (?!type )([^;]*?) from "(\.[^"]*)\.js";$/gms);
  return [...statements]
    .filter(([, names = ""]) => !/^\{(\s*type [^,}]+,?)*\s*\}$/.test(names))
    .map(([, , path = ""]) => relative(ROOT, join(ROOT, name, "..", `${path}.ts`)).replaceAll("\\", "/"));
}

/** The first circle that a walk from this file meets. */
function circle(name: string, way: readonly string[] = [], done = new Set<string>()): string[] {
  if (way.includes(name)) return [...way.slice(way.indexOf(name)), name];
  if (done.has(name)) return [];
  for (const next of importsOf(name)) {
    const found = circle(next, [...way, name], done);
    if (found.length > 0) return found;
  }
  done.add(name);
  return [];
}

describe("the house", () => {
  test("imports go one way when it runs: there is no circle", () => {
    assert.ok(importsOf("core/endpoint.ts").includes("core/supervisor.ts"));
    for (const name of files.keys()) assert.deepEqual(circle(name), []);
  });

  test("the pure folders import neither the parts nor the connection", () => {
    for (const name of files.keys()) {
      if (!/^(wire|content)\//.test(name)) continue;
      for (const imported of importsOf(name)) assert.match(imported, /^(wire|content)\/|^errors\.ts$/, `${name} imports ${imported}`);
    }
  });

  test("no file is long", () => {
    for (const [name, text] of files) assert.ok(text.split("\n").length <= MOST_LINES, name);
  });
});
