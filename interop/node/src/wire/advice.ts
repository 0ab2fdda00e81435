/** Advice about errors of Redis or the network. The first one that fits counts. */
const ADVICE: readonly (readonly [said: RegExp, advice: string])[] = [
  [/^NOAUTH/, "put the credentials into url: redis://user:password@host"],
  [/^WRONGPASS|^ERR AUTH/, "check the user and the password in url"],
  [/^NOPERM/, "give the user the rights that docs/security.md lists for its role"],
  [/^WRONGTYPE/, "a key of this name holds something else: choose another name for the stream"],
  [/DB index/, "check the database number in url"],
  [/max number of clients/, "raise maxclients of Redis, or close connections"],
  [/^Redis did not answer|^Redis closed the connection/, "look whether it speaks TLS (rediss://) or not (redis://)"],
  [
    /^ERR (unknown (sub)?command|syntax error|wrong number of arguments|invalid stream id)/i,
    "RedisIPC needs Redis 6.2 or later, or Valkey, with all commands: INFO server shows the version",
  ],
];

/** Advice about a refusal, after a semicolon. Empty if there is none. */
export function adviceAbout(message: string): string {
  const advice = ADVICE.find(([said]) => said.test(message))?.[1];
  return advice === undefined ? "" : `; ${advice}`;
}
