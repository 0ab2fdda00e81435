// TypeScript types with run-time checks from JSON Schemas, by quicktype: a JSON object on standard input.
//
// In:  { "folder": where the files go, "schemas": [{ "name": "1.0/entry", "content": schema }, ...] }
// Each schema becomes the module <name>.ts below the folder, with a class Convert.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { InputData, JSONSchemaInput, JSONSchemaStore, quicktype } from "quicktype-core";

class NoStore extends JSONSchemaStore {
  // Each schema stands alone: nothing may be fetched.
  fetch(address) {
    throw new Error(`${address} was asked for: a schema must not refer to another file`);
  }
}

const { folder, schemas } = JSON.parse(await text(process.stdin));
for (const { name, content } of schemas) {
  const source = new JSONSchemaInput(new NoStore());
  await source.addSource({ name: content.title, schema: JSON.stringify(content) });
  const inputData = new InputData();
  inputData.addInput(source);
  const { lines } = await quicktype({ inputData, lang: "typescript", rendererOptions: { "runtime-typecheck": "true" } });
  const path = join(folder, `${name}.ts`);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, lines.join("\n"));
}
