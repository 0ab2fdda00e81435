"""Fuzzing of all code that reads data of others, in the library and in the suite."""
