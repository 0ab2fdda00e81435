"""The traffic on the wire: RESP, the tap, raw entries, and the runner's own connection to Redis."""
