"""The packages of the project: built, checked, installed and tried."""
