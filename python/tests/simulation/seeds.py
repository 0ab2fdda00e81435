"""Worlds in which the simulation once found a defect: they are played again with every test run."""

from __future__ import annotations

SEEDS_THAT_FAILED: dict[int, str] = {
    8: "an endpoint that closed while Redis refused its answers asked to be called again and again",
    65: "a group that was destroyed while somebody joined it left an endpoint that knew no entry ID to begin at",
    77: "a response lay with a member that was cut off, while its requester closed without a last look",
    120: "a reply that came slowly passed for fresh, and what it brought was started without a look",
    142: "a request was asked for in a group without a handler, though its requester stood still until it had to be gone",
    180: "bodies that were read to keep claims alive held up the claims themselves on a slow link",
    229: "a request was asked for that had been stored while its group was gone: the checker asked for more than SPEC.md",
    240: "a consumer was left by a member that had no time: its read was under way, and nothing but the checker asks for more",
    295: "G8 was asked of a group whose last member had left: a batch of a given-up connection was executed after that",
    324: "the keys of a living member were asked of one that was ended as it joined with the same instance id",
    446: "an endpoint said that it rests, though its process had stood still and something was overdue",
    510: "a megabyte of requests in one batch held up the claims for five seconds on a slow link",
    1232: "an endpoint that left asked to be called again and again while its read had not ended: its own list was due",
}
"""Seed (with the default number of requests) to what was wrong."""
