"""Tests of programs that use RedisIPC, without a Redis. Nothing of it is loaded with ``redisipc``."""
