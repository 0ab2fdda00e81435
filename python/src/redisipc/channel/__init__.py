"""Named events over a stream: what an endpoint offers to others, with the parameters that it accepts."""
