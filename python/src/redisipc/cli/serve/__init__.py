"""``redisipc serve``: a member of a group that answers as it is asked to, also badly."""
