/** Finds why a send got no answer: what Redis shows about the group that was asked, and about the request. */
import type { Diagnosis, Finding } from "../errors.js";
import * as commands from "../wire/commands.js";
import type { Command } from "../wire/commands.js";
import { compareIds } from "../wire/entry-id.js";
import { isFault } from "../wire/faults.js";
import { instanceOf } from "../wire/names.js";
import { type GroupInfo, type PendingRow, type Reply, consumerInfos, groupInfos, pendingRows } from "../wire/replies.js";
import type { Shared } from "./shared.js";
import type { Send } from "./ledger.js";

/** From this idle time on, in ms, an instance counts as gone: each uses its consumers every 25 s (RIPC-LIFE-13). */
export const ALIVE_MS = 30_000;
/** The shortest time between two questions to Redis, in ms. Answers are valid for the same time. */
const ASK_EVERY_MS = 1000;
const ANSWERS_HOLD_MS = 2000;
/** One look asks about so many groups and entries. For others, the finding is what is known of their group. */
const GROUPS = 4;
const ENTRIES = 16;
/** From this age on, in ms, a text says how old the answers are. */
const OLD_MS = 50;
/** So many names a text lists. */
const LISTED = 8;

interface Questions {
  readonly at: number;
  readonly groups: readonly string[];
  readonly entries: readonly (readonly [group: string, entryId: string])[];
}

/** How many instances of a group live, and for how long the last one of all was idle, in ms. */
interface Living {
  readonly count: number;
  readonly idle: number | undefined;
}

/**
 * The questions go along with the last look, in a batch that is sent anyway, so that no outcome waits for them. They are asked once a
 * second at most, and many timeouts share the answers. A text says how old they are.
 */
export class Diagnoser {
  private allowed = true;
  private askedAt = -Infinity;
  private seenAt = -Infinity;
  /** When what is known was asked for. */
  private ofTime = -Infinity;
  private groups = new Map<string, GroupInfo>();
  private living = new Map<string, Living>();
  /** By entry ID. Undefined if no consumer has it. */
  private owners = new Map<string, PendingRow | undefined>();

  constructor(private readonly shared: Shared) {}

  /** The questions for a look. Undefined if one asked a moment ago. */
  ask(sends: readonly Send[]): Questions | undefined {
    const now = this.shared.now();
    const open = sends.filter((send) => !send.finished);
    if (!this.allowed || open.length === 0 || now - this.askedAt < ASK_EVERY_MS) return undefined;
    this.askedAt = now;
    const groups = [...new Set(open.map(({ group }) => group))].slice(0, GROUPS);
    const entries = open.flatMap(({ group, entryId }) => (entryId !== undefined && groups.includes(group) ? [[group, entryId] as const] : []));
    return { at: now, groups, entries: entries.slice(0, ENTRIES) };
  }

  lines({ groups, entries }: Questions): Command[] {
    const { names } = this.shared;
    return [
      commands.groups(names),
      ...groups.map((group) => commands.consumers({ ...names, group })),
      ...entries.map(([group, entryId]) => commands.ownerOf({ ...names, group }, entryId)),
    ];
  }

  /** The replies to the questions. One that makes no sense is ignored. */
  take(questions: Questions, replies: readonly Reply[]): void {
    try {
      this.learn(questions, replies);
    } catch (error) {
      if (!isFault(error)) throw error;
    }
  }

  private learn({ at, groups, entries }: Questions, replies: readonly Reply[]): void {
    // Without the right, every timeout would leave a line in the log of Redis.
    if (replies.some((reply) => isFault(reply) && reply.kind === "permanent")) this.allowed = false;
    const [infos = null, ...rest] = replies;
    if (isFault(infos)) return;
    this.seenAt = this.shared.now();
    this.ofTime = at;
    this.groups = new Map(groupInfos(infos).map((info) => [info.name, info]));
    this.living = new Map();
    this.owners = new Map();
    groups.forEach((group, i) => {
      const reply = rest[i] ?? null;
      if (!isFault(reply)) this.living.set(group, livingIn(reply));
    });
    entries.forEach(([, entryId], i) => {
      const reply = rest[groups.length + i] ?? null;
      if (!isFault(reply)) this.owners.set(entryId, pendingRows(reply)[0]);
    });
  }

  /** What is known about a send that got no answer. */
  of(send: Send): Finding {
    const { shared } = this;
    if (send.entryId === undefined && send.refusal !== undefined) return away(`Redis refused to store it: ${send.refusal}`);
    const isAway = send.entryId === undefined ? !shared.live : !shared.reachable;
    if (isAway) return away(`no working connection to Redis: ${shared.lifecycle.reason || "it was lost"}`);
    const age = shared.now() - this.seenAt;
    const finding = age > ANSWERS_HOLD_MS ? NOTHING : this.ofAnswers(send);
    if (finding.text === "") return send.entryId === undefined ? UNACKNOWLEDGED : finding;
    return age < OLD_MS ? finding : { ...finding, text: `${finding.text} (${(age / 1000).toFixed(1)} s before)` };
  }

  private ofAnswers(send: Send): Finding {
    const info = this.groups.get(send.group);
    if (info === undefined) return found("no_such_group", missingGroup(send.group, [...this.groups.keys()]));
    const owner = this.owners.get(send.entryId ?? "");
    if (owner !== undefined && owner.idle < commands.GIVEN_BACK_FROM_MS) {
      const instance = (instanceOf(owner.owner) ?? owner.owner).toString("utf8");
      const starts = Math.max(1, Math.ceil(owner.deliveries / commands.COUNTS_A_START));
      return found("held", `held by ${send.group}/${instance} (started ${starts === 1 ? "once" : `${starts} times`})`);
    }
    return this.notHeld(send, info, owner !== undefined);
  }

  private notHeld(send: Send, info: GroupInfo, givenBack: boolean): Finding {
    const living = this.living.get(send.group);
    const group = `group ${send.group}`;
    const seconds = Math.round((living?.idle ?? 0) / 1000);
    if (living?.count === 0) {
      const last = living.idle === undefined ? "" : ` (last seen ${seconds} s ago)`;
      return found("no_live_instance", `${group} has no living instance${last}`);
    }
    const members = living === undefined ? "" : `: ${living.count} instance${living.count === 1 ? "" : "s"}`;
    if (givenBack) return found("not_read", `no instance of ${group} had room for it${members}`);
    // Answers that are older than the request say only which instances there were.
    if (send.sentAt > this.ofTime) return NOTHING;
    if (isUnread(info, send.entryId)) {
      const active = living !== undefined && seconds >= 1 ? `, the last active ${seconds} s ago` : "";
      return found("not_read", `not read yet${members}${active}${waiting(info)}`);
    }
    if (send.entryId === undefined) return NOTHING;
    return this.owners.has(send.entryId) ? notHeld(send.group) : readPast(info);
  }
}

function notHeld(group: string): Finding {
  // Redis does not show which of the two happened.
  const either = "it was stored before the group was made, or a member acknowledged it and wrote no answer that could be found";
  return found("not_held", `group ${group} does not hold it: ${either}`);
}

/** The finding about a request that a group has read past, if nobody asked who holds it. */
function readPast({ name, pending }: GroupInfo): Finding {
  if (pending === undefined) return NOTHING;
  if (pending === 0) return notHeld(name);
  return found("held", `group ${name} has read past it and did not answer in time (${pending} pending there, perhaps this one)`);
}

const NOTHING: Finding = { text: "" };
const UNACKNOWLEDGED: Finding = { text: "Redis did not acknowledge the request, so it may not be stored" };

function found(diagnosis: Diagnosis, text: string): Finding {
  return { diagnosis, text };
}

function away(text: string): Finding {
  return found("redis_away", text);
}

/** The text about a group that does not exist, and those that do. */
export function missingGroup(group: string, others: readonly string[]): string {
  const names = [...others].sort();
  if (names.length === 0) return `there is no group ${group}, and no other group here: nobody ever connected`;
  const here = names.slice(0, LISTED).join(", ") + (names.length > LISTED ? ", ..." : "");
  const close = nearest(group, names);
  return `there is no group ${group} (groups here: ${here})${close === undefined ? "" : `; did you mean ${close}?`}`;
}

/** What a caller, which looks only at groups, finds. */
export function findingOf(group: string, entryId: string | undefined, reply: Reply): Finding {
  if (isFault(reply)) return NOTHING;
  const infos = groupInfos(reply);
  const info = infos.find(({ name }) => name === group);
  if (info === undefined) return found("no_such_group", missingGroup(group, infos.map(({ name }) => name)));
  if (info.consumers === 0) return found("no_live_instance", `group ${group} has no instance`);
  if (isUnread(info, entryId)) return found("not_read", `not read yet${waiting(info)}`);
  return readPast(info);
}

/** For how long each instance of a group has been idle, in ms, from XINFO CONSUMERS. */
export function idleOfInstances(reply: Reply): Map<string, number> {
  const idle = new Map<string, number>();
  for (const info of consumerInfos(reply)) {
    const instance = instanceOf(info.name)?.toString("latin1");
    if (instance !== undefined) idle.set(instance, Math.min(info.idle, idle.get(instance) ?? Infinity));
  }
  return idle;
}

function livingIn(reply: Reply): Living {
  const idle = [...idleOfInstances(reply).values()];
  return { count: idle.filter((ms) => ms < ALIVE_MS).length, idle: idle.length === 0 ? undefined : Math.min(...idle) };
}

function isUnread({ lastDelivered }: GroupInfo, entryId: string | undefined): boolean {
  return entryId !== undefined && compareIds(lastDelivered, entryId) < 0;
}

/** How many entries the group has not read, if the server knows it. */
function waiting({ lag }: GroupInfo): string {
  return lag !== undefined && lag > 1 ? `; ${lag} entries wait for the group` : "";
}

/** A name that differs from this one by a few letters. */
function nearest(name: string, names: readonly string[]): string | undefined {
  const most = Math.ceil(name.length / 3);
  const [best] = names.map((other) => [distance(name, other), other] as const).sort(([a], [b]) => a - b);
  return best !== undefined && best[0] <= most ? best[1] : undefined;
}

/** How many letters must be inserted, deleted or changed. For long names only the beginning is compared. */
function distance(one: string, other: string): number {
  const [a, b] = [one.slice(0, 64), other.slice(0, 64)];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, change));
    }
    row = next;
  }
  return row[b.length]!;
}
