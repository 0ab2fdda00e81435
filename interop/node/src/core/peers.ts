/** The instances of a group, as Redis and their announcements show them. They do not notice the look. */
import * as commands from "../wire/commands.js";
import { isFault } from "../wire/faults.js";
import { announcementKey, availabilityKey } from "../wire/names.js";
import type { Reply } from "../wire/replies.js";
import { announcedText } from "./announcement.js";
import { ALIVE_MS, idleOfInstances } from "./diagnosis.js";
import type { Shared } from "./shared.js";

/** The most instances that one look asks about. */
const MOST_ASKED = 1000;

/** A living instance of a group. */
export interface Peer {
  readonly instance: string;
  /** Since it last used its consumers, in ms. */
  readonly idleMs: number;
  /** What it announces of itself. Empty for an instance that announces nothing, such as a gem. */
  readonly implementation: string;
  readonly version: string;
  readonly language: string;
}

/** The living instances of a group. Throws a reply that is a RedisFault. */
export async function peersOf(shared: Shared, group: string): Promise<Peer[]> {
  const { stream } = shared.names;
  const [infos = null] = await shared.batch([commands.consumers({ ...shared.names, group })]);
  if (isFault(infos)) {
    if (infos.kind === "group-lost") return [];
    throw infos;
  }
  const asked = [...idleOfInstances(infos)].slice(0, MOST_ASKED).map(([key, idle]) => ({ id: Buffer.from(key, "latin1"), idle }));
  const replies = await shared.batch(
    asked.flatMap(({ id }) => [["LRANGE", availabilityKey(stream, group, id), 0, -1] as const, ["GET", announcementKey(stream, group, id)] as const]),
  );
  return asked.flatMap(({ id, idle }, i) => {
    const announced = announcedText(replies[2 * i + 1] ?? null);
    // An instance that announces nothing may be idle for long while nothing comes. Only its availability list shows that it lives.
    const lives = isRegistered(replies[2 * i] ?? null) && (announced === undefined || idle < ALIVE_MS);
    const { implementation = "", version = "", language = "" } = announced ?? {};
    return lives ? [{ instance: id.toString("utf8"), idleMs: idle, implementation, version, language }] : [];
  });
}

function isRegistered(list: Reply): boolean {
  return Array.isArray(list) && list.length > 0;
}
