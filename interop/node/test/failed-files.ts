/** A reporter for `node --test`: the file of each test that failed, one a line. `make node-tests` tries these once more. */
// eslint-disable-next-line no-restricted-syntax -- Node takes a reporter's default export
export default async function* failedFiles(events: AsyncIterable<{ type: string; data: { file?: string } }>): AsyncGenerator<string> {
  const told = new Set<string>();
  for await (const { type, data } of events) {
    if (type !== "test:fail" || data.file === undefined || told.has(data.file)) continue;
    told.add(data.file);
    yield `${data.file}\n`;
  }
}
