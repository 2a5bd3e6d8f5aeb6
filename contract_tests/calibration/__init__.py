"""Calibration: learns how a deployment chose where the pages are silent. May import reports and the rooms above."""
