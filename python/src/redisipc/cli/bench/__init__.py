"""``redisipc bench``: how fast a group answers."""
