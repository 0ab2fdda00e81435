import { randomBytes } from "node:crypto";

import { InvalidArgument } from "../errors.js";

/** The names and keys of one endpoint (SPEC.md section 3). */
export interface Names {
  readonly stream: string;
  readonly group: string;
  readonly instance: string;
  readonly dispatcher: string;
  readonly consumer: string;
  readonly availability: string;
  readonly announcement: string;
  readonly wakeup: string;
  readonly groupWakeup: string;
}

export function namesOf(stream: string, group: string, instance: string): Names {
  return {
    stream,
    group,
    instance,
    dispatcher: `dispatcher_${instance}_0`,
    consumer: `consumer_${instance}_0`,
    availability: availabilityKey(stream, group, instance).toString(),
    announcement: announcementKey(stream, group, instance).toString(),
    wakeup: wakeupChannel(stream, group, instance).toString(),
    groupWakeup: `${stream}:${group}:wakeup`,
  };
}

/** Another instance's id comes from the wire and may be any bytes: its keys are made of them unchanged (RIPC-NAME-3). */
export function availabilityKey(stream: string, group: string, instance: string | Buffer): Buffer {
  return sideKey(stream, group, instance, "consumers");
}

export function announcementKey(stream: string, group: string, instance: string | Buffer): Buffer {
  return sideKey(stream, group, instance, "announce");
}

export function wakeupChannel(stream: string, group: string, instance: string | Buffer): Buffer {
  return sideKey(stream, group, instance, "wakeup");
}

function sideKey(stream: string, group: string, instance: string | Buffer, what: string): Buffer {
  return Buffer.concat([Buffer.from(`${stream}:${group}:`), Buffer.from(instance as string), Buffer.from(`:${what}`)]);
}

/** The instance of a name of either form, `dispatcher_<instance>_<n>` or `consumer_<instance>_<n>`; undefined for others. */
export function instanceOf(consumer: Buffer): Buffer | undefined {
  const match = /^(?:dispatcher|consumer)_(.+)_\d+$/s.exec(consumer.toString("latin1"));
  return match?.[1] === undefined ? undefined : Buffer.from(match[1], "latin1");
}

/** 6 characters of 0-9a-f (RIPC-NAME-4). */
export function newInstance(): string {
  return randomBytes(3).toString("hex");
}

/** 21 characters of 0-9a-f (RIPC-NAME-9). */
export function newRequestId(): string {
  return randomBytes(11).toString("hex").slice(0, 21);
}

/** Refuses a name that no group may have: some belong to callers (RIPC-NAME-12). */
export function checkGroup(name: unknown): asserts name is string {
  checkName("group", name);
  if (name.startsWith("caller:")) throw new InvalidArgument("the group begins with caller: such names belong to callers");
}

/** Refuses a stream or group that no entry may have (RIPC-NAME-1, 2). */
export function checkName(what: string, name: unknown): asserts name is string {
  if (typeof name !== "string") throw new InvalidArgument(`the ${what} must be a string, not ${typeof name}`);
  if (/^\p{White_Space}*$/u.test(name)) throw new InvalidArgument(`the ${what} is blank: it needs a character that is not white space`);
  if (/\p{Surrogate}/u.test(name)) throw new InvalidArgument(`the ${what} is not valid Unicode`);
}
