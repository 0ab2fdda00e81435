"""All that waits: connections, threads, an event loop, and the user's code. It decides nothing about entries."""
