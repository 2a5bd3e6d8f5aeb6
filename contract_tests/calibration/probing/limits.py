"""What a calibration may take from a deployment; the help of `calibrate` says the same."""

MAX_REQUESTS = 160
MAX_CREATED = 25
