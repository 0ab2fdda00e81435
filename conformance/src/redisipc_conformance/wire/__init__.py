"""What goes over the wire: RESP, the tap, raw entries, and the runner's own hands in Redis."""
