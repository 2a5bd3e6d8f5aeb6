"""Conformance suite: judges any deployment of the two operations, rule by rule, as a black box."""

from contract_tests.contract import resources

__version__ = resources.VERSION
