"""Scenarios: reads them from YAML, checks the grammar, splits them into steps. Also values and matchers."""

from .errors import ScenarioError
from .load import load_all, load_file
from .model import Check, Scenario, Step

__all__ = ["Check", "Scenario", "ScenarioError", "Step", "load_all", "load_file"]
