"""All sites by name."""

from __future__ import annotations

from .site import Plain, Site

SITES: dict[str, type[Site]] = {kind.name: kind for kind in (Plain,)}
