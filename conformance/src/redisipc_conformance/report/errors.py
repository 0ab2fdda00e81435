"""The errors of reading a report."""

from __future__ import annotations


class ReportError(Exception):
    """A file that is not a report; the message says which and why."""
