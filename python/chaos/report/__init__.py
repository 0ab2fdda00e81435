"""The printed report on runs: faults with their proofs, recovery, messages to the user, used resources."""
