import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { adviceAbout } from "../src/wire/advice.js";

describe("advice", () => {
  const rows: [string, string][] = [
    ["ERR unknown command `XAUTOCLAIM`, with args beginning with: `s`", "Redis 6.2 or later"],
    ["ERR Unknown subcommand or wrong number of arguments for 'CREATECONSUMER'. Try XGROUP HELP.", "Redis 6.2 or later"],
    ["ERR Invalid stream ID specified as stream command argument", "Redis 6.2 or later"],
    ["NOAUTH Authentication required.", "credentials"],
    ["NOPERM this user has no permissions to run the 'xadd' command", "lacks a right"],
    ["WRONGTYPE Operation against a key holding the wrong kind of value", "another name for the stream"],
  ];
  for (const [message, says] of rows) {
    test(`says what to do about: ${message}`, () => {
      assert.ok(adviceAbout(message).includes(says));
    });
  }
  test("says nothing about what passes by itself", () => {
    for (const message of ["OOM command not allowed", "LOADING Redis is loading", "ERR no such key"]) assert.equal(adviceAbout(message), "");
  });
});
