import assert from "node:assert/strict";
import { describe, test } from "node:test";

import * as ask from "../src/ask/call.js";
import { MAX_DEPTH } from "../src/content/json-read.js";
import * as answers from "../src/core/answers.js";
import * as earlyEnd from "../src/core/early-end.js";
import * as handOver from "../src/core/hand-over.js";
import * as keepAlive from "../src/core/keep-alive.js";
import * as lastLook from "../src/core/last-look.js";
import * as ownList from "../src/core/own-list.js";
import { type Pause, Pauses } from "../src/core/refusal-pauses.js";
import * as reader from "../src/core/reader.js";
import * as reclaimer from "../src/core/reclaimer.js";
import * as registration from "../src/core/registration.js";
import * as responder from "../src/core/responder.js";
import * as siblings from "../src/core/siblings.js";
import * as starts from "../src/core/starts.js";
import * as supervisor from "../src/core/supervisor.js";
import * as suspects from "../src/core/suspects.js";
import { checkTime } from "../src/given.js";
import { resolveOptions } from "../src/options.js";
import { ConnectPause } from "../src/redis/connect-pause.js";
import { SILENCE_MS } from "../src/redis/watch.js";
import * as commands from "../src/wire/commands.js";
import { newInstance, newRequestId } from "../src/wire/names.js";
import { loadTable } from "./tables.js";

interface Row {
  readonly id: string;
  readonly seconds: number;
  readonly limit_s?: number;
  readonly number: number | null;
}

const rowsOf = (name: string) => (loadTable(name) as { tables: readonly [{ rows: readonly Row[] }] }).tables[0].rows;
const defaults = resolveOptions({ url: "redis://localhost", stream: "s" });

/** The shortest and the longest of a pause, in ms. */
function ends(pause: Pause): [number, number] {
  pause.refused(0);
  const first = pause.until;
  for (let i = 0; i < 20; i++) pause.refused(pause.until);
  const last = pause.until;
  pause.refused(last);
  return [first, pause.until - last];
}

/** What a row demands of this port, in ms; a text says why it demands nothing that is a number here. */
const TIMES: Readonly<Record<string, ((ms: number, limit: number) => void) | string>> = {
  "default-timeout": (ms) => { assert.equal(defaults.timeoutMs, ms); },
  settle: "it is written in the turn in which it was dealt with, or as soon as Redis takes it",
  "outcome-tolerance": (ms) => { assert.ok(lastLook.LOOK_LIMIT_MS < ms); },
  "early-end": (ms) => { assert.deepEqual([earlyEnd.EARLY_END_MS, ask.EARLY_END_MS], [ms, ms]); },
  "last-look": (ms) => { assert.equal(lastLook.LOOK_LIMIT_MS, ms); },
  "registration-expiry": (ms) => { assert.equal(commands.REGISTRATION_EXPIRY_S * 1000, ms); },
  refresh: (ms, limit) => { assert.ok(registration.REFRESH_MS === ms && ms < limit); },
  "refresh-before-request": (ms) => { assert.equal(registration.REFRESH_BEFORE_REQUEST_MS, ms); },
  "gem-prune": "the gem's",
  "consumer-use": (ms) => { assert.ok(ownList.AT_REST_MS < ms && registration.REFRESH_MS < ms); },
  block: (ms) => { assert.ok(commands.BLOCK_MS <= ms && commands.BLOCK_MS + SILENCE_MS < 6000); },
  // Each connection waits for a reply often enough that its death shows within 6 s.
  silence: (ms) => { assert.ok(SILENCE_MS === ms && reclaimer.RECLAIM_LOOK_MS + SILENCE_MS < 6000); },
  "handed-over": (ms) => { assert.ok(ownList.POLL_MOST_MS < ms); },
  "find-siblings": (ms) => { assert.ok(registration.REFRESH_MS < ms); },
  "keep-alive": (ms) => { assert.deepEqual([keepAlive.KEEP_ALIVE_MS, responder.KEEP_MS], [ms, ms]); },
  "kept-alive": (ms) => { assert.equal(commands.LATE_MS, ms); },
  suspect: (ms) => { assert.equal(suspects.SUSPECT_MS, ms); },
  "two-looks": (ms) => { assert.equal(suspects.BETWEEN_LOOKS_MS, ms); },
  reclaim: (ms) => { assert.equal(suspects.RECLAIM_MS, ms); },
  "next-start": (ms) => { assert.ok(suspects.SUSPECT_MS + reclaimer.RECLAIM_LOOK_MS + suspects.BETWEEN_LOOKS_MS < ms); },
  "connected-before-reclaim": (ms) => { assert.equal(reclaimer.HOLD_MS + suspects.BETWEEN_LOOKS_MS, ms); },
  hold: (ms) => { assert.equal(reclaimer.HOLD_MS, ms); },
  grace: (ms) => { assert.equal(handOver.GRACE_MS, ms); },
  "check-after": (ms) => { assert.equal(responder.CHECK_AFTER_MS, ms); },
  "give-back-mark": (ms) => { assert.equal(commands.GIVE_BACK_IDLE_MS, ms); },
  "give-back-response-mark": (ms) => { assert.equal(commands.GIVE_BACK_RESPONSE_IDLE_MS, ms); },
  "given-back-from": (ms) => { assert.equal(commands.GIVEN_BACK_FROM_MS, ms); },
  "response-from": (ms) => { assert.equal(commands.RESPONSE_FROM_MS, ms); },
  "give-back-taken": (ms) => { assert.ok(reclaimer.RECLAIM_LOOK_MS < ms); },
  "room-again": "a look begins in the turn in which a handler ended",
  woken: (ms) => { assert.ok(reclaimer.WOKEN_MS < ms); },
  "answer-kept": (ms) => { assert.ok(answers.ANSWER_KEPT_MS >= ms); },
  "dead-consumer": (ms) => { assert.equal(siblings.DEAD_CONSUMER_MS, ms); },
  "connected-before-delete": (ms) => { assert.equal(siblings.CONNECTED_BEFORE_DELETE_MS, ms); },
  "look-before-delete": (ms) => { assert.equal(siblings.LOOK_BEFORE_DELETE_MS, ms); },
  back: "it follows from the pauses between attempts, and from the time that one may take",
  "connect-pause": (ms, limit) => {
    const pause = new ConnectPause();
    const pauses = Array.from({ length: 50 }, () => pause.next());
    assert.ok((pauses[0] ?? ms) < ms && Math.max(...pauses) <= limit);
  },
  "second-own-look": (ms) => { assert.ok(reader.LATER_MS < ms); },
  "same-loss": (ms) => { assert.equal(supervisor.SAME_LOSS_MS, ms); },
  "no-writes-pause": (ms, limit) => { assert.deepEqual(ends(new Pauses().writes), [ms, limit]); },
  "permanent-pause": (ms, limit) => { assert.deepEqual(ends(new Pauses().right("x")), [ms, limit]); },
  janitor: "the operator's",
};

const LIMITS: Readonly<Record<string, ((number: number) => void) | string>> = {
  "instance-id": (number) => { assert.match(newInstance(), new RegExp(`^[0-9a-f]{${number}}$`)); },
  "request-id": (number) => { assert.match(newRequestId(), new RegExp(`^[0-9a-f]{${number}}$`)); },
  "read-id": "the rows of the routing table have such ids",
  name: "names are bounded by Redis alone",
  content: "content is bounded by Redis alone",
  nesting: (number) => { assert.equal(MAX_DEPTH, number); },
  "exact-integer": (number) => { assert.equal(Number.MAX_SAFE_INTEGER, number); },
  timeout: (number) => { assert.throws(() => { checkTime("timeoutMs", number); }); },
  outstanding: (number) => { assert.ok(defaults.maxOutstanding >= number); },
  "last-look-entries": "a look goes on until the stream ends or its time is over",
  starts: (number) => { assert.equal(starts.MOST_STARTS, number); },
  "count-of-a-start": (number) => { assert.equal(commands.COUNTS_A_START, number); },
  "answer-attempts": (number) => { assert.equal(answers.MOST_ATTEMPTS, number); },
  "idle-commands": "measured on the wire, by the conformance suite",
  instances: "no limit",
  groups: "no limit",
  page: "no limit",
};

describe("each row of the table of times", () => {
  for (const { id, seconds, limit_s = 0 } of rowsOf("times")) {
    const check = TIMES[id];
    test(typeof check === "string" ? `${id}: ${check}` : id, () => {
      assert.ok(check !== undefined, `nothing is said about the row ${id}`);
      if (typeof check !== "string") check(seconds * 1000, limit_s * 1000);
    });
  }
});

describe("each row of the table of limits", () => {
  for (const { id, number } of rowsOf("limits")) {
    const check = LIMITS[id];
    test(typeof check === "string" ? `${id}: ${check}` : id, () => {
      assert.ok(check !== undefined, `nothing is said about the row ${id}`);
      if (typeof check !== "string") check(number ?? NaN);
    });
  }
});
