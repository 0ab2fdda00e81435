import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { adviceAbout } from "../src/wire/advice.js";

describe("advice", () => {
  const rows: [string, string][] = [
    ["ERR unknown command `XAUTOCLAIM`, with args beginning with: `s`", "Redis 6.2 or later"],
    ["ERR Unknown subcommand or wrong number of arguments for 'CREATECONSUMER'. Try XGROUP HELP.", "Redis 6.2 or later"],
    ["ERR Invalid stream ID specified as stream command argument", "Redis 6.2 or later"],
    ["NOAUTH Authentication required.", "credentials"],
    ["NOPERM this user has no permissions to run the 'xadd' command", "the rights that docs/security.md lists"],
    ["WRONGPASS invalid username-password pair or user is disabled.", "the user and the password in url"],
    ["ERR AUTH <password> called without any password configured for the default user.", "the user and the password in url"],
    ["ERR DB index is out of range", "check the database number in url"],
    ["ERR max number of clients reached", "raise maxclients"],
    ["Redis did not answer within 300 ms", "TLS (rediss://)"],
    ["WRONGTYPE Operation against a key holding the wrong kind of value", "another name for the stream"],
  ];
  for (const [message, says] of rows) {
    test(`says what to do about: ${message}`, () => {
      assert.ok(adviceAbout(message).includes(says));
    });
  }
  test("no refusal has two pieces of advice", () => {
    for (const [message] of rows) assert.equal(adviceAbout(message).split("; ").length, 2);
  });
  test("says nothing about what passes by itself", () => {
    for (const message of ["OOM command not allowed", "LOADING Redis is loading", "ERR no such key"]) assert.equal(adviceAbout(message), "");
  });
});
