"""``redisipc doctor``: looks at the wire and the server for known problems, and says what repairs them."""
