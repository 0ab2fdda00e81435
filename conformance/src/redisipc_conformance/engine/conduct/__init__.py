"""The look at all commands of a scenario, beside its checks: whether the endpoints kept the rules of ``always.py``."""
