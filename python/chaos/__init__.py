"""Real processes, a real Redis, real faults: the shipped library is run under them, and its history is judged."""
