"""What a run is made of: a Redis, the taps before it, the members, and what is seen of them."""
