"""Diagnosis: the smallest case that shows a violation, and the rule it breaks. May import execution and above."""
