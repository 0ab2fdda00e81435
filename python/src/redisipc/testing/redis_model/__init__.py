"""An own model of Redis: one stream with groups and what lies beside it, with a clock that is handed in.

It executes every command that the core emits, and nothing of it is approximate: ``differential`` compares it with real servers.
"""

from . import claims, general, groups, keys, streams
from .model import Blocked, Client, Model
from .profiles import PROFILES, REDIS_6, REDIS_7, REDIS_8, Profile, profile_for

__all__ = [
    "PROFILES", "REDIS_6", "REDIS_7", "REDIS_8", "Blocked", "Client", "Model", "Profile", "claims", "general", "groups",
    "keys", "profile_for", "streams",
]  # fmt: skip
