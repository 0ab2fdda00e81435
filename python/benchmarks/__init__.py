"""Speed as ratios to a raw redis-py floor that runs in the same minute. ``python -m benchmarks`` from ``python/``."""
