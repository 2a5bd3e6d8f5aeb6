"""Experiments: a case run again, two cases compared, and the neighbours of a case. May import the rooms above."""
