"""From what was seen of the checks to verdicts: of a check, a scenario, a profile and a run."""
