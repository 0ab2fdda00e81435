"""Runs scenarios and tells what happens as typed events. Knows no terminal, no report, no test framework."""
