"""Reports of a run, one module per format. May import runs and the rooms above."""
