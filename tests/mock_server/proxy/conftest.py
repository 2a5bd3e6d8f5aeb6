"""Fixtures for the proxy over sockets."""

from typing import Any

import pytest

from tests.support.proxy.fixtures import ProxyFixtures, run_proxy_fixtures


@pytest.fixture(scope="module")
def proxy_fixtures(closing: Any, tmp_path_factory: pytest.TempPathFactory) -> ProxyFixtures:
    """Return a proxy, its upstream, and the handler of the upstream."""
    return closing(run_proxy_fixtures(tmp_path_factory.mktemp("proxy"), "--timeout", "2"))
