"""A model of Redis: streams with groups and the keys beside them, with a clock from outside.

It executes every command of the core exactly: ``differential`` compares it with real servers.
"""

from . import claims, general, groups, keys, streams
from .model import Blocked, Client, Model
from .profiles import PROFILES, REDIS_6, REDIS_7, REDIS_8, Profile, profile_for

__all__ = [
    "PROFILES", "REDIS_6", "REDIS_7", "REDIS_8", "Blocked", "Client", "Model", "Profile", "claims", "general", "groups",
    "keys", "profile_for", "streams",
]  # fmt: skip
