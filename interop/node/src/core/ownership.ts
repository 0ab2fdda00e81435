/**
 * Finds who owns a request, by its pending entry and its body. A claim follows that never takes it from another member.
 *
 * The reply to a claim that lacks a request does not say why: its requester may have given it up, another member may have
 * taken it over, or its pending entry went with a group or a consumer that somebody deleted (RIPC-GROUP-32).
 */
import * as commands from "../wire/commands.js";
import { isFault } from "../wire/faults.js";
import { type PendingRow, type Reply, claimedIds, entriesOf, pendingRows } from "../wire/replies.js";
import type { Held } from "./held.js";
import type { SharedWith } from "./ports.js";
import { CLAIMED_LATELY_MS, claimsByIdle } from "./late-claim.js";
import type { Shared } from "./shared.js";

/** How many requests one batch checks. */
const MOST_AT_ONCE = 64;
/** How often the requests that a claim did not get are checked again. */
const ROUNDS = 3;
/** A reply that took longer is too old to tell the owners: bodies may be large, and links slow. */
const QUICK_MS = 1000;

const GIVEN_UP = "the requester has given the request up";
const TAKEN_OVER = "another member of the group has taken the request over";

export interface Verdict {
  /** Claimed just now, or lately: `keptAt` says when. */
  readonly ours: Held[];
  /** Another member's. */
  readonly lost: Held[];
  /** Their bodies are deleted. */
  readonly gone: Held[];
}

/** A request and its idle time in ms. Undefined if no consumer has it. */
type Claim = readonly [held: Held, idle: number | undefined];

/** Checks each. Claims those without an owner, and those of ours that were not claimed recently. `anew`: all of ours. */
export async function verify(shared: Shared, some: readonly Held[], anew: boolean): Promise<Verdict> {
  const verdict: Verdict = { ours: [], lost: [], gone: [] };
  let waiting = [...some];
  for (let round = 0; round < ROUNDS && waiting.length > 0; round++) {
    const again: Held[] = [];
    const size = shared.sizes.count(MOST_AT_ONCE);
    for (let i = 0; i < waiting.length; i += size) {
      const claims = await look(shared, waiting.slice(i, i + size), verdict, anew);
      if (claims.length > 0) again.push(...(await claim(shared, claims, verdict)));
    }
    waiting = again;
  }
  verdict.lost.push(...waiting);
  return verdict;
}

/** Verifies, and tells the responder which of them are not ours any more. Returns those that are. */
export async function keepOurs(shared: SharedWith<"writer" | "responder">, some: readonly Held[], anew: boolean): Promise<Held[]> {
  const { ours, lost, gone } = await verify(shared, some, anew);
  for (const held of gone) {
    shared.writer.acknowledge(held.entryId);
    shared.responder.lost(held, GIVEN_UP);
  }
  for (const held of lost) shared.responder.lost(held, TAKEN_OVER);
  return ours;
}

async function look(shared: Shared, some: Held[], verdict: Verdict, anew: boolean): Promise<Claim[]> {
  const { names } = shared;
  const sentAt = shared.now();
  const askOwners = some.map(({ entryId }) => commands.ownerOf(names, entryId));
  const replies = await shared.callAll([...askOwners, ...some.map(({ entryId }) => commands.body(names, entryId))]);
  const owners = shared.now() - sentAt > QUICK_MS ? await shared.callAll(askOwners) : replies.slice(0, some.length);
  const claims: Claim[] = [];
  some.forEach((held, i) => {
    const [row] = pendingRows(owners[i] ?? []);
    if (!hasBody(held, replies[some.length + i] ?? [])) verdict.gone.push(held);
    else if (row === undefined) claims.push([held, undefined]);
    else if (!isOwn(shared, row)) verdict.lost.push(held);
    else if (anew || row.idle >= CLAIMED_LATELY_MS || row.owner.toString("latin1") !== names.dispatcher) claims.push([held, row.idle]);
    else {
      held.keptAt = sentAt - row.idle;
      verdict.ours.push(held);
    }
  });
  return claims;
}

/** Those that the claim did not get. */
async function claim(shared: Shared, claims: Claim[], verdict: Verdict): Promise<Held[]> {
  const nobodys = claims.flatMap(([held, idle]) => (idle === undefined ? [commands.takeUp(shared.names, held.entryId, held.starts)] : []));
  const own = claims.flatMap(([held, idle]) => (idle === undefined ? [] : [[held.entryId, idle] as const]));
  const sentAt = shared.now();
  const replies = await shared.callAll([...nobodys, ...claimsByIdle(shared, own)]);
  const got = new Set(replies.flatMap(claimedIds));
  const again: Held[] = [];
  for (const [held] of claims) {
    if (!got.has(held.entryId)) again.push(held);
    else {
      held.keptAt = sentAt;
      verdict.ours.push(held);
    }
  }
  return again;
}

function isOwn({ names }: Shared, { owner }: PendingRow): boolean {
  return [names.dispatcher, names.consumer].includes(owner.toString("latin1"));
}

/** Under one entry ID another request may stand after a failover: the `id` must be the same, too (RIPC-RECOV-4). */
function hasBody(held: Held, reply: Reply): boolean {
  if (isFault(reply)) return false;
  const [entry] = entriesOf(reply);
  return entry?.kind === "request" && entry.id.equals(held.request.id);
}
