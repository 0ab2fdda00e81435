"""The only place with the suite's version. The specification has its own versions."""

__version__ = "0.1.0"
SPEC_VERSION = "1.0"
