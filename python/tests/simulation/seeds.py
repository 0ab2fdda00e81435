"""Worlds in which the simulation once found a defect: they are played again with every test run."""

from __future__ import annotations

SEEDS_THAT_FAILED: dict[int, str] = {
    0: "a response handed over by a member that had joined unnoticed lay there until the last look",
    4: "an endpoint past its grace, with a batch under way, asked to be called again and again",
    5: "a last look for a request of unknown entry ID raised; a request dropped before an outage was run again after it",
    14: "an answer that waited for memory was not kept alive; a response handed over to an instance that was leaving stayed",
    22: "what was to be given back before an outage was given back after it, while it ran",
    24: "a member that lost the race for given-back work stayed idle, though there was more",
    93: "a keep-alive that left together with a give-back undid it: what was given back lay there until it was reclaimed",
    328: "a member that found most of what had been given back gone took one request and looked no further, though it had room",
    387: "members that looked for given-back work at the same time all wanted the same few requests",
    459: "hundreds of requests that had been given up were looked for one by one, while a live one waited behind them",
    461: "an endpoint that closed while Redis refused its answer asked to be called again and again",
    465: "a request that was given up while it was looked for kept its place, and what was queued behind it was never started",
}
"""Seed (with the default number of requests) to what was wrong."""
