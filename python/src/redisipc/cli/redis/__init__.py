"""A small Redis client of the command line, since to import redis-py takes longer than most commands run."""
