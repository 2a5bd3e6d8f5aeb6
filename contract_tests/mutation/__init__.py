"""Mutants of the contract, and whether the suite kills them. May import reports and the rooms above."""
