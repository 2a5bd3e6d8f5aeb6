"""The error that ends one benchmark, or leaves one contender out of it."""


class BenchmarkError(Exception):
    """Something to be measured does not run; the message gives the symptom."""
