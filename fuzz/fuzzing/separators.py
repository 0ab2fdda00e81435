"""How an input says where an entry and where a field of it begins."""

ENTRY, FIELD = b"\x1e", b"\x1f"
