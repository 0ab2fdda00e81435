"""``redisipc serve``: a member of a group that answers; for tests, also late, with rejections, or with a crash."""
