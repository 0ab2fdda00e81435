"""Scenarios: read from YAML, checked against the grammar, taken apart into steps; values and matchers."""

from .errors import ScenarioError
from .load import load_all, load_file
from .model import Check, Scenario, Step

__all__ = ["Check", "Scenario", "ScenarioError", "Step", "load_all", "load_file"]
