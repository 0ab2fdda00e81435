"""Programs under test: the messages exchanged with them, their processes, and help for whoever writes one."""
