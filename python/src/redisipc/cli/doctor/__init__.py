"""``redisipc doctor``: looks at the wire and the server for what is known to go wrong, and says what mends it."""
