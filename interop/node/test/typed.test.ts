import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import ts from "typescript";

const run = promisify(execFile);

/** The package, from the compiled test. */
const PACKAGE = fileURLToPath(new URL("../../", import.meta.url));

/** Calls that must not compile, one a line; and calls that must. */
const WRONG: readonly string[] = [
  `await Stream.connect({ url, stream: "s" });`,
  `await Stream.connect({ url, stream: "s", group: 7 });`,
  `await Stream.connect({ url, stream: "s", group: "g", timout: 3 });`,
  `await Stream.connect({ url, stream: "s", group: "g", timeoutMs: "3" });`,
  `await Stream.connect({ url, stream: "s", group: "g", timeoutMs: undefined });`,
  `await Stream.connect({ url, stream: "s", group: "g", exposeErrors: "all" });`,
  `await Stream.connect({ url, stream: "s", group: "g", onRequest: (a: number) => a });`,
  `await Stream.connect({ url, stream: "s", channel: "c" });`,
  `new Stream({ url, stream: "s", group: "g" });`,
  `await stream.send("g");`,
  `await stream.send("g", 1, 300);`,
  `await stream.send("g", 1, { timeout: 3 });`,
  `(await stream.send("g", 1)).sku;`,
  `stream.group = "other";`,
  `stream.endpoint;`,
  `stream.on("error", () => 1);`,
  `stream.on("problem", (problem: string) => problem);`,
  `stream.on("state", ({ state }) => state === "away");`,
  `await Channel.connect({ url, stream: "s", channel: "c", events: { add: (a: number) => a } });`,
  `await channel.trigger("add", { a: 1 });`,
  `await channel.trigger("add", [1], { target: "t", timeout: 1 });`,
  `new Rejection(new Date());`,
  `new Rejection("no", { data: 1 });`,
  `new Rejection("no", "code");`,
  `new Caller({ url, stream: "s", group: "g" });`,
  `caller.on("problem", () => 1);`,
  `const code: "timeout" = new NoResponders("g", 1, "id", "text").code;`,
  `if (error instanceof RequestTimeout) error.diagnosis = "held";`,
  `if (error instanceof RequestTimeout && error.diagnosis === "asleep") throw error;`,
  `stream.stats().running = 1;`,
];
const RIGHT: readonly string[] = [
  `await using one = await Stream.connect({ url, stream: "s", group: "g", exposeErrors: "text", onRequest: async ({ content, signal }) => [content, signal.aborted] });`,
  `const value: Json = await stream.send("g", { a: [1, 2n] }, { timeoutMs: 3, signal: new AbortController().signal });`,
  `stream.on("problem", ({ kind, entryId }) => [kind, entryId]).on("disconnected", (reason) => reason.message).on("state", ({ ok }) => ok);`,
  `await channel.trigger("add", { a: 1 }, { target: "t" });`,
  `throw new Rejection("no", { code: "not_found", data: { sku: 7 } });`,
  `const peers: readonly Peer[] = await stream.ping("g", { timeoutMs: 3 });`,
  `if (error instanceof HandlerFailed) console.log(error.reasonCode, error.data, error.reason);`,
  `using caller2 = new Caller({ url, stream: "s", maxOutstanding: 1 });`,
];

const HEAD = `import { Caller, Channel, HandlerFailed, type Json, NoResponders, type Peer, Rejection, RequestTimeout, Stream } from "redisipc";
declare const url: string; declare const stream: Stream; declare const channel: Channel; declare const caller: Caller; declare const error: unknown;
export { Caller, Channel, HandlerFailed, NoResponders, type Json, type Peer, Rejection, RequestTimeout, Stream, url, stream, channel, caller, error };`;

/** Each call in a function of its own, so that one that throws hides no other. */
const programOf = (calls: readonly string[]): string => [...HEAD.split("\n"), ...calls.map((call) => `export const _${Math.random().toString(36).slice(2)} = async () => { ${call} };`)].join("\n");

/** The lines of a program that do not compile, against the declarations that are shipped. */
function wrongLines(calls: readonly string[]): number[] {
  const folder = mkdtempSync(join(PACKAGE, "build", "typed-"));
  try {
    const file = join(folder, "program.ts");
    writeFileSync(file, programOf(calls));
    const program = ts.createProgram([file], {
      noEmit: true, strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, target: ts.ScriptTarget.ES2022,
      lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"], module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, types: ["node"],
    });
    const lines = ts.getPreEmitDiagnostics(program).map(({ file: where, start = 0, messageText }) => {
      if (where?.fileName.endsWith("program.ts") !== true) throw new Error(`${where?.fileName ?? ""}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`);
      return where.getLineAndCharacterOfPosition(start).line;
    });
    return [...new Set(lines)].sort((a, b) => a - b).map((line) => line - HEAD.split("\n").length);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("the types that are shipped", { timeout: 120_000 }, () => {
  test("refuse each wrong call, and no right one", () => {
    assert.deepEqual(wrongLines([...WRONG, ...RIGHT]), WRONG.map((_, i) => i));
  });
});

describe("the package", { timeout: 120_000 }, () => {
  const { exports, engines, type } = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")) as Record<string, unknown>;

  test("has what it names, and nothing of its tests and testee", async () => {
    const { stdout: packed } = await run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: PACKAGE });
    const [{ files }] = JSON.parse(packed) as [{ files: readonly { path: string }[] }];
    const names = files.map(({ path }) => path);
    const entry = (exports as Record<string, Record<string, string>>)["."];
    for (const name of [...Object.values(entry ?? {}).map((path) => path.slice(2)), "package.json", "README.md", "LICENSE"]) assert.ok(names.includes(name), name);
    for (const name of names) assert.match(name, /^(package\.json|README\.md|LICENSE|dist\/.*\.(js|d\.ts|js\.map))$/);
    for (const name of ["testee", "port", "ask-port", "calls", "protocol"]) assert.ok(!names.includes(`dist/${name}.js`), name);
    assert.deepEqual([type, (engines as { node: string }).node], ["module", ">=20.11"]);
  });

  test("can be imported from outside, and shows its public names alone", async () => {
    const folder = mkdtempSync(join(tmpdir(), "redisipc-"));
    try {
      writeFileSync(join(folder, "package.json"), '{"type":"module"}');
      symlinkSync(join(PACKAGE, "node_modules"), join(folder, "node_modules"));
      const code = `const all = await import(${JSON.stringify(join(PACKAGE, "dist", "index.js"))}); console.log(Object.keys(all).sort().join(" "));`;
      const { stdout: out } = await run(process.execPath, ["--input-type=module", "--eval", code], { cwd: folder });
      assert.equal(
        out.trim(),
        "AlreadyAnswered Caller Channel ConnectFailed EndpointClosed HandlerFailed InvalidArgument NO_ANSWER NoResponders RedisIpcError Rejection " +
          "RequestCancelled RequestFailed RequestRejected RequestTimeout Stream TooManyOutstanding UnsendableValue VERSION readJson writeJson",
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
