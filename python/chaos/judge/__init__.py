"""Makes a history of the run in the form of the simulation, and lets the checker of the simulation judge it."""
