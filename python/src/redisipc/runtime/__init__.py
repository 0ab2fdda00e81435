"""Everything that waits: connections, threads or an event loop, and the user's code. It decides nothing about entries."""
