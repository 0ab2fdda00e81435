"""Commands that ask a group: ``send``, ``call``, ``ping``, ``check``."""
