"""Every implementation against every other one: `make interop`."""
