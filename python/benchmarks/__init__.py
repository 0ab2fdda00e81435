"""Measures speed as ratios to a floor of bare redis-py in the same run. Call ``python -m benchmarks`` in ``python/``."""
