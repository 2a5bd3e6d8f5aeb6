"""The findings of a run beside those of an earlier report. May import the rest of results."""
