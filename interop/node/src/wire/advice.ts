/** What the user can do about what Redis or the network said. */
const ADVICE: Readonly<Record<string, string>> = {
  NOAUTH: "put the credentials into the URL: redis://user:password@host",
  WRONGPASS: "look at the user and the password in the URL",
  NOPERM: "the user lacks a right: SPEC.md, section 2, lists the rights",
  WRONGTYPE: "a key of this name holds something else: choose another name for the stream",
};

/** Beginnings, in small letters, of what a server says to a command or an option that it does not have. */
const NOT_UNDERSTOOD = [
  "err unknown command",
  "err unknown subcommand",
  "err syntax error",
  "err wrong number of arguments",
  "err invalid stream id",
];

/** Advice about a refusal, after a semicolon; empty where there is none. */
export function adviceAbout(message: string): string {
  const word = ADVICE[message.split(" ", 1)[0] ?? ""];
  if (word !== undefined) return `; ${word}`;
  const small = message.toLowerCase();
  if (NOT_UNDERSTOOD.some((beginning) => small.startsWith(beginning))) {
    return "; RedisIPC needs Redis 6.2 or later, or Valkey, with all commands: INFO server shows the version";
  }
  return "";
}
