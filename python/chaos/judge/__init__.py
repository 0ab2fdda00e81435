"""Makes a history of the run in the form of the simulation, and has the simulation's checker judge it."""
