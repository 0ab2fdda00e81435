"""The command line ``redisipc``. Nothing else imports it, and it imports neither redis-py nor a runtime before it needs them."""
