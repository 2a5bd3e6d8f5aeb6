"""Sends cases to a target and judges the responses. May import results and the rooms above."""
