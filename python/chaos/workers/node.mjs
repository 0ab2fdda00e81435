// A worker on the Node.js port: node node.mjs PORT CONFIG. It writes the rows that rows.py describes.
import fs from "node:fs";

const [port, text] = process.argv.slice(2);
const { NO_ANSWER, NoResponders, Rejection, RequestCancelled, RequestFailed, RequestRejected, RequestTimeout, Stream } = await import(port);
const config = JSON.parse(text);
const EACH = 1_000_000;
const TICK = 0.05;
const LATE = 0.15;
const SECONDS = { short: [0.002, 0.05], medium: [0.2, 0.8], long: [3, 12], later: [0.01, 0.3], busy: [0.01, 0.05], cancel: [0.05, 4] };

const file = fs.openSync(config.history, "a");
const now = () => Number(process.hrtime.bigint()) / 1e9; // the machine's monotonic clock, as in Python
const rows = (what, ...more) => fs.writeSync(file, JSON.stringify([what, now(), ...more]) + "\n");
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

let state = config.seed >>> 0;
const random = () => { // mulberry32
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
};
const between = ([low, high]) => low + (high - low) * random();
const choose = (weights) => {
  let left = Object.values(weights).reduce((sum, weight) => sum + weight, 0) * random();
  for (const [name, weight] of Object.entries(weights)) if ((left -= weight) <= 0) return name;
  return Object.keys(weights)[0];
};

rows("begin", config.process, process.pid, "node", config.group, config.concurrency);
process.on("uncaughtException", (error) => rows("note", `uncaught: ${error.stack}`.slice(0, 800)));
process.on("unhandledRejection", (error) => rows("note", `unhandled: ${error?.stack ?? error}`.slice(0, 800)));

let stream;
let asked = 0;
let runs = 0;
let leaving = false;
let quiet = false;
let hushed = 0;
let outstanding = 0;

// answering

const answerOf = (content) =>
  content !== null && typeof content === "object" && "n" in content && "p" in content && "r" in content ? [content.n, content.p, content.r] : null;

async function handle(request) {
  const { n, k, d, pad } = request.content;
  const run = ++runs;
  rows("run", n, run, request.starts, "", request.id);
  if (k === "nested") await ask({ n: number(), to: config.nested_to, kind: "quick", seconds: 0, timeout: 3 });
  else if (k === "busy") for (const end = now() + d; now() < end;);
  else if (k !== "cancel" && k !== "ignore" && d) await sleep(d);
  rows("end", n, run);
  const answer = { n, p: config.process, r: run, ...(pad === undefined ? {} : { pad }) };
  if (k === "ignore") return NO_ANSWER;
  if (k === "reject") throw new Rejection(answer);
  if (k === "raise") throw new Error(`boom ${n}`);
  return answer;
}

// asking

const number = () => config.process * EACH + ++asked;

function draw() {
  const kind = choose(config.kinds);
  const timeout = Number(choose(config.timeouts));
  return {
    n: number(),
    to: config.targets[Math.floor(random() * config.targets.length)],
    kind,
    seconds: kind in SECONDS ? between(SECONDS[kind]) : 0,
    timeout: kind === "long" ? Math.max(timeout, 8) : timeout,
  };
}

async function ask({ n, to, kind, seconds, timeout }, signal) {
  const content = { n, k: kind, d: seconds, ...(kind === "big" ? { pad: "x".repeat(30_000) } : {}) };
  rows("send", n, to, timeout, kind, seconds);
  outstanding += 1;
  try {
    const value = await stream.send(to, content, { timeoutMs: timeout * 1000, ...(signal ? { signal } : {}) });
    const answer = answerOf(value);
    rows("outcome", n, "fulfilled", answer, answer ? "" : JSON.stringify(value).slice(0, 200));
  } catch (error) {
    const [status, answer, words] = ending(error, signal);
    rows("outcome", n, status, answer, String(words).slice(0, 300));
  }
  outstanding -= 1;
}

function ending(error, signal) {
  if (error instanceof RequestRejected) {
    const answer = answerOf(error.reason);
    return ["rejected", answer, answer ? "" : typeof error.reason === "string" ? error.reason : JSON.stringify(error.reason)];
  }
  // It is a kind of RequestTimeout.
  if (error instanceof NoResponders) return ["no responders", null, error.message];
  if (error instanceof RequestTimeout) return ["timeout", null, error.message];
  if (error instanceof RequestCancelled) return [signal?.aborted ? "cancelled" : "closed", null, error.message];
  if (error instanceof RequestFailed) return ["failed", null, error.message];
  return [("code" in error ? "refused:" : "raised:") + error.name, null, error.message];
}

async function askOn() {
  let due = now();
  while (!leaving && !quiet) {
    // Whoever stood still does not catch up.
    due = Math.max(due - (Math.log(1 - random()) / config.rate) * config.burst, now() - 1, hushed);
    await sleep(Math.max(0, due - now()));
    if (leaving || quiet) return;
    do {
      const next = draw();
      const control = next.kind === "cancel" ? new AbortController() : undefined;
      if (control) setTimeout(() => { rows("cancel", next.n); control.abort(); }, next.seconds * 1000);
      void ask(next, control?.signal);
    } while (random() >= 1 / config.burst); // so many at one moment, on average
  }
}

// stalls and samples

let last = now();
let down;
setInterval(() => {
  const at = now();
  if (at - last > TICK + LATE) rows("still", last + TICK, "loop");
  last = at;
  if (stream === undefined || leaving) return;
  if (!stream.connected) down ??= at - TICK;
  else if (down !== undefined) { rows("down", down); down = undefined; }
}, TICK * 1000).unref();

if (config.sample) {
  setInterval(() => {
    const names = fs.readdirSync("/proc/self/fd");
    const sockets = names.filter((name) => { try { return fs.readlinkSync(`/proc/self/fd/${name}`).startsWith("socket:"); } catch { return false; } });
    rows("sample", process.memoryUsage.rss(), names.length, fs.readdirSync("/proc/self/task").length, sockets.length, outstanding);
  }, config.sample * 1000).unref();
}

// The main thread was ready to run and did not.
let looks = 0;
const waited = () => { try { return Number(fs.readFileSync("/proc/self/schedstat", "utf8").split(" ")[1]); } catch { return 0; } };
let waitedBefore = waited();
setInterval(() => {
  if (++looks % 5) return;
  const total = waited();
  if (total - waitedBefore > 60_000_000) rows("still", now() - (total - waitedBefore) / 1e9, "processor");
  waitedBefore = total;
}, TICK * 1000).unref();

// its life

let leave;
const stop = new Promise((resolve) => { leave = resolve; });
process.on("SIGTERM", () => { leaving = true; leave(); });
process.on("SIGINT", () => {});
process.stdin.on("data", (data) => {
  const [, seconds] = /hush (\S+)/.exec(String(data)) ?? [];
  if (seconds !== undefined) hushed = now() + Number(seconds);
  if (String(data).includes("quiet")) quiet = true;
});
process.stdin.on("end", () => process.exit(3)); // the harness is gone

while (stream === undefined && !leaving) {
  try {
    stream = await Stream.connect({
      url: config.url, stream: config.stream, group: config.group, concurrency: config.concurrency, closeTimeoutMs: 10_000,
      ...(config.ca ? { tls: { ca: fs.readFileSync(config.ca) } } : {}), onRequest: handle,
    });
  } catch (error) {
    rows("told", "connect", `${error.message}: ${error.cause?.message ?? ""}`.slice(0, 300));
    await sleep(0.2);
  }
}
if (stream !== undefined) {
  stream.on("problem", ({ kind, message }) => rows("told", kind, message.slice(0, 300)));
  stream.on("disconnected", (error) => rows("told", "connection", String(error.message).slice(0, 300)));
  stream.on("reconnected", () => rows("log", "INFO", "connected"));
  rows("up", stream.instance);
  process.stdout.write("up\n");
  if (config.rate) await Promise.race([askOn(), stop]);
  await stop;
  if (down !== undefined) rows("down", down);
}
rows("closing");
await stream?.close();
rows("closed");
for (const end = now() + 1; outstanding > 0 && now() < end;) await sleep(0.01);
process.exit(0);
