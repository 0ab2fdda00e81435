// What the run-time checks of generated TypeScript say: a JSON object on standard input, a list on standard output.
//
// In:  { "folder": where the compiled modules are, "cases": [{ "name": "1.0/entry", "type": "Entry", "value": any }, ...] }
// Out: [true, false, ...]
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

const { folder, cases } = JSON.parse(await text(process.stdin));
const modules = new Map();
const verdicts = [];
for (const { name, type, value } of cases) {
  if (!modules.has(name)) modules.set(name, await import(pathToFileURL(join(folder, `${name}.js`)).href));
  try {
    modules.get(name).Convert[`to${type}`](JSON.stringify(value));
    verdicts.push(true);
  } catch {
    verdicts.push(false);
  }
}
process.stdout.write(JSON.stringify(verdicts));
