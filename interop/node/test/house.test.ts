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

/** What a file imports, types as well. */
function importsOf(name: string): string[] {
  const statements = (files.get(name) ?? "").matchAll(/^(?:import|export) [^;]*? from "(\.[^"]*)\.js";$/gms);
  return [...statements].map(([, path = ""]) => relative(ROOT, join(ROOT, name, "..", `${path}.ts`)).replaceAll("\\", "/"));
}

/** The layers, the lowest first. A file imports from its own layer and from those below. */
const LAYERS: readonly RegExp[] = [
  /^(json|context|version|reasons|errors|given|thrown)\.ts$/,
  /^content\/.*\.ts$/,
  /^(wire\/.*|lifecycle)\.ts$/,
  /^redis\/.*\.ts$/,
  /^(options|outcome|observing|events)\.ts$/,
  /^(core|ask)\/.*\.ts$/,
  /^(request|serve|ping|channel-request|member)\.ts$/,
  /^(stream|channel|caller)\.ts$/,
  /^index\.ts$/,
];
const layerOf = (name: string): number => LAYERS.findIndex((layer) => layer.test(name));

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
  test("imports go one way, types as well: there is no circle", () => {
    assert.ok(importsOf("core/endpoint.ts").includes("core/supervisor.ts") && importsOf("core/writer.ts").includes("core/ports.ts"));
    for (const name of files.keys()) assert.deepEqual(circle(name), []);
  });

  test("no file imports from a layer above its own", () => {
    for (const name of files.keys()) {
      assert.ok(layerOf(name) >= 0, `${name} has no layer`);
      for (const imported of importsOf(name)) assert.ok(layerOf(imported) <= layerOf(name), `${name} imports ${imported}`);
    }
  });

  test("what the parts share knows none of them", () => {
    for (const name of ["core/shared.ts", "core/ports.ts"]) {
      for (const imported of importsOf(name)) assert.ok(!/ (?:implements \w+Port)/.test(files.get(imported) ?? ""), `${name} imports ${imported}`);
    }
  });

  test("a part names the others that it asks: none but those that make and lead them see all", () => {
    const all = [...files].filter(([, text]) => /\bPorts\b/.test(text)).map(([name]) => name);
    assert.deepEqual(all.sort(), ["core/assembly.ts", "core/endpoint.ts", "core/ports.ts"]);
    for (const [name, text] of files) if (/ implements \w+Port/.test(text)) assert.match(text, /\bSharedWith<"|: Shared\b/, name);
  });

  test("no file is long", () => {
    for (const [name, text] of files) assert.ok(text.split("\n").length <= MOST_LINES, name);
  });
});
