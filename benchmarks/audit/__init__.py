"""Audit of the judge of recordings: mutated responses and published catalogues of faults. `make audit` runs it.

It writes docs/audit.md. May import processes, report, and the two packages.
"""
