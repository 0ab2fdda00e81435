"""Programs under test: their messages, their processes, and help for authors of such a program."""
