"""All that a step of a scenario may touch: its Redis, its stream, the testee's endpoints, names, entries and time."""
