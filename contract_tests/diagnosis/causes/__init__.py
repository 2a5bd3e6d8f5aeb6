"""Causes of a violation: each module knows one that the violation alone does not show. May import experiments."""
