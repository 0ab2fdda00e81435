"""What every scenario looks at beside its checks: whether the endpoints kept the rules of ``always.py``."""
