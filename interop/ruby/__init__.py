"""The gem under test, and the pages that are made from its published run."""
