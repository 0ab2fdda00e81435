"""What is printed about runs: faults and their proofs, recovery, what the user sees, what was used."""
