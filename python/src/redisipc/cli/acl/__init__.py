"""``redisipc acl``: the least rights, and whether a user has them."""
