"""Implementations talk with each other over one Redis, each driven through the testee protocol."""
