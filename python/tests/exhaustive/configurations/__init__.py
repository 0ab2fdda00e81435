"""The configurations, by name: small worlds, each about one corner of the protocol."""

from __future__ import annotations

from ..configuration import Configuration
from . import connections, destroyed, leaving, reclaiming, requesting, three, unavailable

CONFIGURATIONS: dict[str, Configuration] = {
    configuration.name: configuration
    for module in (three, reclaiming, connections, unavailable, destroyed, requesting, leaving)
    for configuration in module.CONFIGURATIONS
}
