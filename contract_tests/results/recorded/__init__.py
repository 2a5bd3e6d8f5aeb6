"""Recorded traffic judged, for `check`: reads a HAR, knows what one request breaks. May import results."""
