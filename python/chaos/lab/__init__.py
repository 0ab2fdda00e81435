"""The parts of a run: a Redis, the taps before it, the members, and the records of their behaviour."""
