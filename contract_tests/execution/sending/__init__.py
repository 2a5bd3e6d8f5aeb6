"""Turns steps into requests and sends them, within the limits of a run. May import the rooms above."""
