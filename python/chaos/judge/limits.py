"""The times and counts that the judge allows, and what they are for."""

from __future__ import annotations

BACK = 12.0
"""Seconds after the end of a fault within which whoever it hit must be connected again."""
QUIESCENCE = 150.0
"""Seconds until quiescence (SPEC.md, section 15): for as long what belongs to a dead instance may lie about."""
SUSPECT = 7000.0
"""Milliseconds without a sign of its owner after which an entry is looked at (RIPC-GROUP-13, 14)."""
GEM = "gem"
"""The runtime, and the group, of the gem."""
IN_TIME = 0.3
"""Seconds by which something must have been done before a deadline to count as done in time."""
AT_ONCE = 0.02
"""Seconds between the row that says so and the call that asks, where nothing comes between."""
REFUSES = ("rights", "group")
"""Faults of Redis in which a send may end as failed: a right is missing, or the key is not a stream."""
REFUSED_LATER = "an answer that came later was refused"
"""How a worker begins to say that its endpoint took an answer no longer."""
NO_GROUP = ("group", "empty", "rewind", "failover")
"""Faults of Redis that take a group away."""
AWAY = 30.0
"""Seconds for which a group may be missing after that: its only member stands still or is cut off, and makes it later."""
GROUP_LOOKS = 0.6
"""Seconds between two looks whether a group is there: it may have come after the last one."""
TAPS = 3.0
"""Seconds by which the taps may see a sign of life later, or a claim earlier, than Redis executes it (a slow link)."""
STILL = 0.5
"""The share of the time of rest for which the harness or Redis may stand still. With more, what is left says nothing."""
RARE = 10
"""Sends of a run whose last look may run out of time, however few requests the run has."""
RARE_SHARE = 0.001
"""The share of all sends for which that may happen. A campaign of 1,015,709 requests had 17 of them."""
PAUSE = 1.0
"""Seconds within which an endpoint writes again after Redis refused it (docs/trust.md, the aim of recovery)."""
