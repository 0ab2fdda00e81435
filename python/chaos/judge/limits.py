"""The times and counts that the judge allows, and what they are for."""

from __future__ import annotations

BACK = 12.0
"""A member that a fault hit must be connected again within so many seconds after the end of the fault."""
QUIESCENCE = 150.0
"""Seconds until quiescence (SPEC.md, section 15). Entries of a dead instance may stay for this long."""
SUSPECT = 7000.0
"""An entry is suspect if its owner has given no sign of life for so many milliseconds (RIPC-GROUP-14)."""
GEM = "gem"
"""The name of the runtime and of the group of the gem."""
IN_TIME = 0.3
"""An event counts as in time if it comes at least so many seconds before the deadline."""
AT_ONCE = 0.07
"""A worker calls the library within 0.02 s after it wrote the row, if nothing interrupts it.

It sees a standstill up to 0.05 s late.
"""
REFUSES = ("rights", "group")
"""In these faults of Redis a send may end as failed: a right is missing, or the key is not a stream."""
REFUSED_LATER = "an answer that came later was refused"
"""The beginning of a worker's message that its endpoint refused an answer."""
NO_GROUP = ("group", "empty", "rewind", "failover")
"""Faults of Redis that delete a group."""
AWAY = 30.0
"""A group may be missing for so many seconds after that, if its only member stands still or is cut off."""
GROUP_LOOKS = 0.6
"""Seconds between two looks for a group. The group may have been made after the last look."""
TAPS = 3.0
"""Over a slow link, the taps may see a sign of life or a claim so many seconds before or after Redis executes it."""
STILL = 0.5
"""If the harness or Redis stood still for a greater share of the time of rest, the run does not decide G8."""
RARE = 10
"""In each run, the last looks of so many sends may run out of time, however few requests the run has."""
RARE_SHARE = 0.001
"""The last looks of this share of all sends may run out of time. A campaign of 1,015,709 requests had 17."""
PAUSE = 1.0
"""An endpoint writes again within so many seconds after Redis refused it (docs/trust.md, the aim of recovery)."""
