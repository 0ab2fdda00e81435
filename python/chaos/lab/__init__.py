"""The parts of a run: a Redis, the taps in front of it, the members, and the records of their behaviour."""
