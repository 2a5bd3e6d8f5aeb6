"""Fixtures for the tests of all report formats."""

import pytest

from contract_tests.results.verdict import Report
from tests.support.reports import build_faulty_report


@pytest.fixture(scope="module")
def report() -> Report:
    """Return a report with every verdict in it."""
    return build_faulty_report()
