"""Shows what is on a stream: groups, instances, entries, pending lists. It only reads; it changes nothing."""
