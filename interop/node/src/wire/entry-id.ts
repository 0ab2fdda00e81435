/** Entry IDs that Redis gives: `<milliseconds>-<sequence>`. */

export const FIRST = "0-0";
/** No entry has it; a read after it finds nothing (RIPC-LIFE-13). */
export const LAST = "18446744073709551615-0";

export function compareIds(a: string, b: string): number {
  const [aTime, aSequence] = partsOf(a);
  const [bTime, bSequence] = partsOf(b);
  if (aTime !== bTime) return aTime < bTime ? -1 : 1;
  return aSequence === bSequence ? 0 : aSequence < bSequence ? -1 : 1;
}

/** The time of an ID by Redis' clock, in ms. */
export function timeOf(entryId: string): number {
  return Number(partsOf(entryId)[0]);
}

function partsOf(entryId: string): [bigint, bigint] {
  const [time = "0", sequence = "0"] = entryId.split("-");
  return [BigInt(time), BigInt(sequence)];
}
