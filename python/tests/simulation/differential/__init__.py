"""Keeps the model honest: random commands run on it and on each real server at hand, every reply compared."""
