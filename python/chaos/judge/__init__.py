"""What happened, made into a history as the simulation knows it, and judged by the simulation's checker."""
