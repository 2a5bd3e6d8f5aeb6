"""The conformance suite: a black box that judges any deployment of the two operations, rule by rule."""

__version__ = "0.1.0"
