"""The whole protocol in virtual time: many endpoints, a model of Redis, seeded faults, and a checker that proves G1 to G8.

``python -m tests.simulation --requests 1000000 --jobs 2`` runs it; ``--seed N`` replays one world and prints what broke.
"""
