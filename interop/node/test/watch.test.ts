import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, test } from "node:test";

import { SILENCE_MS, Watch } from "../src/redis/watch.js";
import { until } from "./own-time.js";

/** What the watch sees of a socket. */
class Link {
  bytesRead = 0;
  _handle = { bytesWritten: 0, writeQueueSize: 0 };

  get bytesWritten(): number {
    return this._handle.bytesWritten;
  }
}

/** The time that a look may be late, in ms. */
const LATE_MS = 800;

describe("a connection whose reply is overdue", { concurrency: true }, () => {
  for (const { name, step, lost } of [
    { name: "is lost after 3 s without a byte", step: () => undefined, lost: true },
    {
      name: "is lost although more is written to it, which the operating system takes",
      step: (link: Link) => (link._handle.bytesWritten += 100),
      lost: true,
    },
    {
      name: "is lost although more and more waits for the operating system",
      step: ({ _handle }: Link) => {
        _handle.bytesWritten += 100;
        _handle.writeQueueSize += 100;
      },
      lost: true,
    },
    { name: "is not lost while bytes come", step: (link: Link) => (link.bytesRead += 1), lost: false },
    {
      name: "is not lost while the operating system takes what waited",
      step: ({ _handle }: Link) => {
        _handle.bytesWritten += 100;
        _handle.writeQueueSize = 1000;
      },
      lost: false,
    },
  ]) {
    test(name, async () => {
      const link = new Link();
      const begun = performance.now();
      let silentAt: number | undefined;
      const watch = new Watch(
        () => link as unknown as Socket,
        () => (silentAt = performance.now()),
      );
      watch.until(begun);
      const moving = setInterval(() => {
        step(link);
        watch.until(begun); // a later command: the first reply is due as before
      }, 50);
      if (lost) await until(() => silentAt !== undefined, () => "it is not lost", SILENCE_MS + LATE_MS);
      else await new Promise((resolve) => setTimeout(resolve, SILENCE_MS + LATE_MS));
      clearInterval(moving);
      watch.stop();
      assert.equal(silentAt !== undefined, lost);
      if (silentAt !== undefined) assert.ok(silentAt - begun >= SILENCE_MS, "not sooner");
    });
  }
});
