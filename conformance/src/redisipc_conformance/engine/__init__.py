"""Runs scenarios and reports what happens as typed events. Independent of terminal, reports and test framework."""
