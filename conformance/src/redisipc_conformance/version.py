"""The one place where the suite's version stands (the spec is versioned apart)."""

__version__ = "0.1.0"
SPEC_VERSION = "1.0"
