import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Pause, Pauses } from "../src/core/refusal-pauses.js";
import { Reader } from "../src/core/reader.js";
import type { Session } from "../src/redis/session.js";
import { faultOf } from "../src/wire/faults.js";
import { Parts } from "./parts.js";

describe("a pause after a refusal", () => {
  test("grows from the first to the longest", () => {
    const pause = new Pause(200, 1000);
    const lengths: number[] = [];
    for (let now = 0; lengths.length < 5; now = pause.until) {
      pause.refused(now);
      lengths.push(pause.until - now);
    }
    assert.deepEqual(lengths, [200, 400, 800, 1000, 1000]);
  });

  test("counts several refusals of one attempt once", () => {
    const pause = new Pause(200, 1000);
    pause.refused(0);
    pause.refused(10);
    assert.equal(pause.until, 200);
  });

  test("is not shorter than the first when Redis takes another command meanwhile, and begins anew", () => {
    const pause = new Pause(200, 1000);
    for (const now of [0, 200, 600]) pause.refused(now);
    pause.over();
    assert.equal(pause.until, 800);
    pause.refused(800);
    assert.equal(pause.until, 1000);
  });
});

describe("a pause after a refusal for good", () => {
  const lengthsOf = (message: string): number[] => {
    const pauses = new Pauses();
    const lengths: number[] = [];
    for (let now = 0; lengths.length < 4; now = pauses.right("XACK").until) {
      pauses.forbidden("XACK", faultOf(message), now);
      lengths.push(pauses.right("XACK").until - now);
    }
    return lengths;
  };

  test("grows where a right is lacking (RIPC-RECOV-27)", () => {
    assert.deepEqual(lengthsOf("NOPERM User x has no permissions to run the 'xack' command"), [1000, 2000, 4000, 8000]);
  });

  test("is never over 1 s while the key has another type (RIPC-RECOV-27)", () => {
    const lengths = lengthsOf("WRONGTYPE Operation against a key holding the wrong kind of value");
    assert.ok(lengths.every((length) => length <= 1000), String(lengths));
  });
});

describe("a writer that had its turn late, while Redis takes no writes", () => {
  test("does not write again at the end of the pause that another write began meanwhile (RIPC-RECOV-26)", async () => {
    const parts = new Parts({ wakeups: false });
    const adds = async () => (await parts.settle()).filter(([name]) => name === "XADD").length;
    const { writes } = parts.shared.pauses;
    parts.replies.set("XADD", faultOf("MISCONF"));
    writes.refused(parts.now); // another write was refused
    parts.send();
    assert.equal(await adds(), 0);
    writes.refused(parts.now + 200); // likewise at the end of its pause, which makes the next one: 400 ms
    parts.now += 570; // and the writer has its turn late, 30 ms before the end of that
    parts.shared.writer.kick();
    assert.equal(await adds(), 1);
    const tried = parts.now;
    while (parts.now < tried + 195) {
      parts.now += 5;
      parts.shared.writer.kick();
      assert.equal(await adds(), 0, `again after ${parts.now - tried} ms`);
    }
    parts.now += 10;
    parts.shared.writer.kick();
    assert.equal(await adds(), 1);
    parts.shared.requester.cancelAll(); // its timer would keep the process for a minute
  });
});

describe("a reader that had its turn late, while Redis takes no writes", () => {
  test("reads again after 0.2 s at the earliest, though the pause of all writes is over (RIPC-RECOV-26)", async () => {
    const parts = new Parts({ wakeups: false });
    const reader = new Reader(parts.shared, () => Promise.resolve(), () => Promise.resolve());
    const reads: number[] = [];
    await new Promise<void>((resolve) => {
      const session = {
        isOver: false,
        read: () => {
          reads.push(performance.now());
          if (reads.length === 3) {
            session.isOver = true;
            resolve();
          }
          return Promise.reject(faultOf("MISCONF"));
        },
      };
      void reader.start(session as unknown as Session);
    });
    for (const i of [1, 2]) assert.ok(reads[i]! - reads[i - 1]! >= 199, `again after ${reads[i]! - reads[i - 1]!} ms`);
  });
});
