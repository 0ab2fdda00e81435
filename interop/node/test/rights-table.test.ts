import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";

import { Redis } from "ioredis";

import { RedisIpcError, Stream, type StreamOptions } from "../src/index.js";
import { loadTable } from "./tables.js";

interface Row {
  readonly commands: readonly string[];
  readonly level: "everything" | "base" | "nothing";
}

/** Commands whose parts are granted singly. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  XINFO: ["xinfo|groups", "xinfo|consumers", "xinfo|stream"],
  "XGROUP CREATE": ["xgroup|create"],
  "XGROUP CREATECONSUMER": ["xgroup|createconsumer"],
};
/** Rights that no row takes away: others can delete consumers, and EXEC goes with MULTI. */
const REST = ["xgroup|delconsumer", "exec"];

const { rows } = (loadTable("rights") as { tables: readonly { rows: readonly Row[] }[] }).tables[0] ?? { rows: [] };
const rights = rows.flatMap(({ commands, level }) => commands.map((right) => ({ right, level })));
const url = process.env.REDIS_URL;

/** The ACL rules of the least rights, without one of them. */
function granted(without: string): string[] {
  const parts = (right: string) => PARTS[right] ?? [right.toLowerCase()];
  const taken = without === "" ? [] : parts(without);
  return [...rights.flatMap(({ right }) => parts(right)), ...REST].filter((part) => !taken.includes(part)).map((part) => `+${part}`);
}

describe("the table of rights", { skip: url === undefined ? "REDIS_URL is not set" : false }, () => {
  const stream = `redisipc-rights-${process.pid}`;
  let admin: Redis;
  before(() => {
    admin = new Redis(url ?? "");
  });
  after(async () => {
    await admin.quit();
  });

  /** Runs `work` as a user that lacks a right. Returns all that was reported. */
  async function as(without: string, work: (join: (group: string, more?: Partial<StreamOptions>) => Promise<Stream>) => Promise<void>): Promise<string[]> {
    const name = `rights-${randomBytes(4).toString("hex")}`;
    const rules = ["on", ">secret", "resetkeys", `~${stream}`, `~${stream}:*`, "resetchannels", `&${stream}:*`, "-@all", "+auth", "+hello", "+select"];
    await admin.call("ACL", "SETUSER", name, ...rules, ...granted(without));
    const open: Stream[] = [];
    const reports: string[] = [];
    try {
      await work(async (group, more = {}) => {
        const own = (url ?? "").replace("redis://", `redis://${name}:secret@`);
        const endpoint = await Stream.connect({ url: own, stream, group, connectTimeoutMs: 3000, ...more });
        endpoint.on("problem", ({ message }) => reports.push(message));
        open.push(endpoint);
        return endpoint;
      });
    } finally {
      await Promise.all(open.map((endpoint) => endpoint.close()));
      await admin.call("ACL", "DELUSER", name);
      const keys = await admin.keys(`${stream}*`);
      if (keys.length > 0) await admin.del(...keys);
    }
    return reports;
  }

  const echo: Partial<StreamOptions> = { onRequest: ({ content }) => content };
  const numbers = (from: number) => Array.from({ length: 20 }, (_, index) => from + index);

  async function asked(web: Stream, values: readonly number[]): Promise<unknown[]> {
    return Promise.all(values.map((value) => web.send("stock", value)));
  }

  for (const right of ["", ...rights.filter(({ level }) => level === "everything").map(({ right }) => right)]) {
    test(`everything works without ${right || "any more than the least rights"}`, async () => {
      const reports = await as(right, async (join) => {
        await join("stock", echo);
        const [one, two] = [await join("web"), await join("web")];
        assert.deepEqual(await Promise.all([asked(one, numbers(0)), asked(two, numbers(100))]), [numbers(0), numbers(100)]);
      });
      assert.ok(reports.length <= (right === "" ? 0 : 6), reports.join("\n"));
    });
  }

  for (const { right } of rights.filter(({ level }) => level === "base")) {
    test(`without ${right} one instance a group converses, or connecting fails and names it`, async () => {
      let refused = "";
      const reports = await as(right, async (join) => {
        try {
          await join("stock", echo);
          assert.deepEqual(await asked(await join("web"), numbers(0)), numbers(0));
        } catch (error) {
          if (!(error instanceof RedisIpcError)) throw error;
          refused = error.message;
        }
      });
      assert.ok(refused === "" || refused.toLowerCase().includes(right.toLowerCase()), refused);
      assert.ok(reports.length <= 12, reports.join("\n"));
    });
  }

  for (const { right } of rights.filter(({ level }) => level === "nothing")) {
    test(`without ${right} nothing works, the right is named, and nothing hangs`, async () => {
      let refused = "";
      const reports = await as(right, async (join) => {
        try {
          await join("stock", echo);
          await (await join("web")).send("stock", 1, { timeoutMs: 1000 });
        } catch (error) {
          if (!(error instanceof RedisIpcError)) throw error;
          refused = error.message;
        }
      });
      assert.notEqual(refused, "");
      const word = right.split(" ")[0]?.toLowerCase() ?? "";
      assert.ok([refused, ...reports].some((text) => text.toLowerCase().includes(word)), [refused, ...reports].join("\n"));
    });
  }
});
