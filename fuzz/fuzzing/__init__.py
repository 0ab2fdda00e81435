"""Fuzzing of everything that reads what others wrote, in the library and in the suite."""
