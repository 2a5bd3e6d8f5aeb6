"""The validating proxy. May import server and the rooms above."""
