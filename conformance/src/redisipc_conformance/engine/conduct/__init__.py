"""Examines all commands of a scenario, besides its checks: do the endpoints keep the rules of ``always.py``."""
