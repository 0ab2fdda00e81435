"""The printed report on runs: faults and their proofs, recovery, messages to the user, used resources."""
