"""Reports of a run, one module a format. May import runs and the rooms above."""
