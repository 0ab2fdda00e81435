/** The data that a call gets, and that it gives to its driver. */
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
  /** The replies are given up then in any case. */
  readonly limit: number;
  /** The turn needs a new connection, on which nothing was answered before. */
  readonly fresh: boolean;
}
