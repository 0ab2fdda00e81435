"""Every order of what may happen, for a few members and requests: the real core, with its states saved, compared and resumed."""
