"""All sites by name."""

from __future__ import annotations

from .cluster import Cluster
from .pair import Pair
from .sentinels import Sentinels
from .site import Plain, Site
from .special import Clock, Disk, Secure

ALL: tuple[type[Site], ...] = (Plain, Pair, Sentinels, Cluster, Secure, Clock, Disk)
SITES: dict[str, type[Site]] = {kind.name: kind for kind in ALL}
