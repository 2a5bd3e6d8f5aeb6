"""What a calibration may take from a deployment; the help of `calibrate` says the same."""

MAX_REQUESTS = 150
MAX_CREATED = 25
