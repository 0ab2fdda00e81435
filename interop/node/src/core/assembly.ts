/** Makes the parts of one endpoint, which know each other by ports.ts alone. */
import { HandOver } from "./hand-over.js";
import { OwnEntries } from "./own-entries.js";
import { OwnList } from "./own-list.js";
import type { Ports } from "./ports.js";
import { Reclaimer } from "./reclaimer.js";
import { Registration } from "./registration.js";
import { Requester } from "./requester.js";
import { type Refuse, Responder, type Serve } from "./responder.js";
import { Router } from "./router.js";
import type { Shared } from "./shared.js";
import { Siblings } from "./siblings.js";
import { Wakeups } from "./wakeups.js";
import { Writer } from "./writer.js";

/** `serve`: undefined for an endpoint without a handler. */
export function assemble(shared: Shared, serve: Serve | undefined, refuse?: Refuse): Shared & Ports {
  const all = shared as Shared & Ports;
  all.writer = new Writer(all);
  all.ownEntries = new OwnEntries(all);
  all.requester = new Requester(all);
  all.responder = new Responder(all, serve, refuse);
  shared.holds = (entryId) => all.responder.holds(entryId);
  all.router = new Router(all);
  all.siblings = new Siblings(all);
  all.handOver = new HandOver(all);
  all.reclaimer = new Reclaimer(all);
  all.ownList = new OwnList(all);
  all.registration = new Registration(all);
  all.wakeups = new Wakeups(all, () => void all.attempt(() => all.registration.announce()));
  return all;
}
