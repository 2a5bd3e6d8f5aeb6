"""Preflight: whether a target can be judged, by which callers, and in which form."""
