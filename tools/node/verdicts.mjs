// What ajv, in its strict mode, says of values: a JSON object on standard input, one on standard output.
//
// In:  { "schemas": [schema, ...], "cases": [{ "schema": id, "value": any }, ...] }
// Out: { "refused": { id: message }, "verdicts": [true, false, null, ...] }
//
// "refused" holds the schemas that ajv does not compile; a case of such a schema has the verdict null.
import { Ajv2020 } from "ajv/dist/2020.js";
import { text } from "node:stream/consumers";

const { schemas, cases } = JSON.parse(await text(process.stdin));
const refused = {};
const check = new Map();
for (const schema of schemas) {
  // Each schema alone: none may need another one.
  const ajv = new Ajv2020({ strict: true });
  try {
    check.set(schema.$id, ajv.compile(schema));
  } catch (error) {
    refused[schema.$id] = error.message;
  }
}
const verdicts = cases.map(({ schema, value }) => check.get(schema)?.(value) ?? null);
process.stdout.write(JSON.stringify({ refused, verdicts }));
