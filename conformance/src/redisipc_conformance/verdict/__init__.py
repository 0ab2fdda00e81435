"""Makes verdicts from what was seen of the checks: for a check, a scenario, a profile and a run."""
