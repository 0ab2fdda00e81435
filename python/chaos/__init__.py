"""Runs the shipped library as real processes over a real Redis with real faults, and judges its history."""
