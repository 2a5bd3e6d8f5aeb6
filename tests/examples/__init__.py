"""Tests of the examples: the deployment that the gate is proved against."""
