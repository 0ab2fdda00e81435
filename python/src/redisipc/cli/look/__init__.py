"""What is on a stream: groups, instances, entries, pending lists. Looks only; changes nothing."""
