"""Classes of error replies by their first word (the table of section 13)."""

GROUP_LOST = frozenset(("NOGROUP", "UNBLOCKED"))
REFUSAL = frozenset(("OOM", "MISCONF"))
PERMANENT = frozenset(("NOPERM", "NOAUTH", "WRONGPASS", "WRONGTYPE"))
