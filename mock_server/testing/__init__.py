"""Fixtures and assertions for the tests of a client (`pytest -p mock_server.testing`). May import every room above.

PYTEST_DONT_REWRITE: this package asserts nothing, so a test may import it before pytest loads it as a plugin.
"""

from mock_server.testing.plugin import (
    ContainersMock,
    containers_mock,
    containers_mock_app,
    containers_mock_directory,
    containers_mock_options,
    pytest_addoption,
    pytest_assertrepr_compare,
    pytest_runtest_call,
    pytest_runtest_makereport,
    serving,
)

__all__ = [
    "ContainersMock",
    "containers_mock",
    "containers_mock_app",
    "containers_mock_directory",
    "containers_mock_options",
    "pytest_addoption",
    "pytest_assertrepr_compare",
    "pytest_runtest_call",
    "pytest_runtest_makereport",
    "serving",
]
