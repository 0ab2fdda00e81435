"""``redisipc watch``: requests and answers as they pass, each pair in one line."""
