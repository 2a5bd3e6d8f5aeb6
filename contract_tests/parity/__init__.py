"""A deployment and the mock with its profile, side by side. May import calibration and the rooms above."""
