/** What a call is given, and what it gives to whoever leads it. */
import type { Command } from "../wire/commands.js";

/** What is asked, and by whom. */
export interface Question {
  readonly stream: string;
  readonly instance: string;
  readonly id: string;
  readonly group: string;
  readonly content: string;
  /** By the monotonic clock, in ms. */
  readonly deadline: number;
}

/** What to send now, on one connection, with one reply for each command. Times are ms of the monotonic clock. */
export interface Turn {
  readonly commands: readonly Command[];
  /** Wait until then, and ask for the turn again. */
  readonly at: number;
  /** How long the last command may block. */
  readonly blockMs: number;
  /** When the replies are given up in any case. */
  readonly limit: number;
  /** A connection on which something was answered before will not do. */
  readonly fresh: boolean;
}
