/** What the parts of one endpoint ask of each other. Each part is in a file of its own, which knows those that it names, by this alone. */
import type { Outcome } from "../outcome.js";
import type { Command } from "../wire/commands.js";
import type { Entry, Request, Response } from "../wire/entry.js";
import type { RedisFault } from "../wire/faults.js";
import type { Reply } from "../wire/replies.js";
import type { Held } from "./held.js";
import type { Ledger, Send } from "./ledger.js";
import type { Shared } from "./shared.js";
import type { Beside, Transaction } from "./transaction.js";

/** Another registered instance of the same group. */
export interface Sibling {
  /** To whom responses are handed over. */
  readonly consumer: Buffer;
  readonly wakeup: boolean;
  readonly responder: boolean;
  /** When its list was seen, by its own clock in ms. */
  readonly seenAt: number;
}

/** See writer.ts. */
export interface WriterPort {
  add(send: Send): void;
  dropAdd(send: Send): void;
  answer(held: Held): void;
  dropAnswers(): void;
  acknowledge(entryId: string): void;
  skip(entryId: string): void;
  remove(entryId: string): void;
  settle(entryId: string): void;
  isSettling(entryId: string): boolean;
  kick(): void;
  done(): Promise<void>;
}

/** See own-entries.ts. */
export interface OwnEntriesPort {
  beside: Beside;
  wrap(lines: readonly Command[], written: number, size: number): Transaction | undefined;
}

/** See requester.ts. */
export interface RequesterPort {
  readonly ledger: Ledger;
  send(group: string, content: string, timeoutMs: number, signal: AbortSignal | undefined, id?: string): Promise<Outcome>;
  deliver(response: Response): void;
  stored(send: Send, entryId: string): void;
  notStored(send: Send, why?: string): void;
  refused(send: Send, fault: RedisFault): void;
  unsure(send: Send): void;
  cancelAll(): void;
  recovered(): void;
  idle(): Promise<void>;
}

/** See answers.ts. */
export interface AnswersPort {
  readonly refused: boolean;
  notWritten(held: Held): void;
  dropRefused(): void;
  written(some: Held[], replies: Reply[]): void;
  writtenSingly(some: Held[], replies: Reply[]): void;
}

/** See responder.ts. */
export interface ResponderPort {
  readonly answers: AnswersPort;
  readonly serves: boolean;
  readonly room: number;
  readonly capacity: number;
  readonly running: number;
  /** Since when each handler runs that has not ended. */
  readonly since: readonly number[];
  readonly waiting: number;
  readonly isIdle: boolean;
  holds(entryId: string): boolean;
  all(): Held[];
  receive(request: Request, starts: number, keptAt: number): void;
  startBehind(): void;
  giveBackQueued(): void;
  siblingsCame(): void;
  keepAfterAll(held: Held): void;
  leave(held: Held): void;
  lost(held: Held, why: string): void;
  disconnected(): void;
  drain(): void;
  rejectRunning(): void;
  idle(): Promise<void>;
  settleUnsure(): Promise<void>;
}

/** See router.ts. */
export interface RouterPort {
  isForUs(request: Request): boolean;
  route(entry: Entry, starts: number, keptAt: number): void;
}

/** See siblings.ts. */
export interface SiblingsPort {
  readonly present: boolean;
  readonly responders: number;
  find(instance: Buffer): Sibling | undefined;
  refresh(everybody?: boolean): Promise<void>;
  questions(instance: Buffer): Command[];
  learn(instance: Buffer, listed: Reply, announcement: Reply): Sibling | undefined;
}

/** See hand-over.ts. */
export interface HandOverPort {
  has(entryId: string): boolean;
  stateOf(entryId: string): string | undefined;
  kept(): string[];
  add(response: Response): void;
  siblingsSeen(): void;
  clear(): void;
}

/** See reclaimer.ts. */
export interface ReclaimerPort {
  readonly takesBack: boolean;
  start(again: boolean): void;
  stop(): Promise<void>;
  hold(): void;
  roomFound(): void;
  gaveBack(): void;
  woken(): void;
}

/** See own-list.ts. */
export interface OwnListPort {
  start(): void;
  stop(): Promise<void>;
  expectMore(): void;
  readSoon(): void;
  read(): Promise<void>;
}

/** See wakeups.ts. */
export interface WakeupsPort {
  readonly listening: boolean;
  start(): Promise<void>;
  stop(): void;
  connected(again: boolean): void;
  wake(channel: Buffer): void;
  wakeGroup(): void;
}

/** See registration.ts. */
export interface RegistrationPort {
  start(): void;
  stop(): Promise<void>;
  mayAddIn(now: number): number;
  register(): Promise<void>;
  announce(): Promise<void>;
  remove(): Promise<void>;
}

/** All parts; assembly.ts makes them. */
export interface Ports {
  writer: WriterPort;
  ownEntries: OwnEntriesPort;
  requester: RequesterPort;
  responder: ResponderPort;
  router: RouterPort;
  siblings: SiblingsPort;
  handOver: HandOverPort;
  reclaimer: ReclaimerPort;
  ownList: OwnListPort;
  wakeups: WakeupsPort;
  registration: RegistrationPort;
}

/** What a part is given: what all share, and the other parts that it names. */
export type SharedWith<Names extends keyof Ports> = Shared & Pick<Ports, Names>;
