"""The bytes that separate the entries of an input, and the fields of an entry."""

ENTRY, FIELD = b"\x1e", b"\x1f"
