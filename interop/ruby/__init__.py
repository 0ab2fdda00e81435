"""The gem under test, and what is drawn from its published run."""
