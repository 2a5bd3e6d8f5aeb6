"""Everything under /_mock/: JSON API, pages, API reference. May import pipeline and the rooms above."""
