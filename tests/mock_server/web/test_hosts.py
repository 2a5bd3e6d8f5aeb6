"""The names under which the control plane may be reached."""

import pytest
from werkzeug.test import Client

from mock_server import create_app
from mock_server.proxy.app import create_proxy
from mock_server.web.hosts import is_loopback, is_private_host

OWN = [
    "127.0.0.1:4010",
    "[::1]:4010",
    "10.1.2.3",
    "localhost",
    "LOCALHOST:1",
    "mock:4010",
    "mock.default.svc.local",
]
FOREIGN = [
    "evil.example",
    "evil.example:4010",
    "localhost.evil.example",
    "127.0.0.1.nip.io",
    "a@127.0.0.1",
    "[",
    "a b",
]


@pytest.mark.parametrize("host", [*OWN, "host.docker.internal", "mock.localhost.", "mock.test:80"])
def test_addresses_and_private_names_are_ours(host: str) -> None:
    """An address, and a name that nobody can register, cannot be that of another site."""
    assert is_private_host(host, frozenset())


@pytest.mark.parametrize("host", [*FOREIGN, "", "[::g]", "1.2.3.4.5", "xn--.test", "xn--a.localhost"])
def test_other_names_are_foreign(host: str) -> None:
    """A name that somebody can register may be that of another site, and no page can show a broken one."""
    assert not is_private_host(host, frozenset({"mock.example"}))
    assert is_private_host("mock.example:4010", frozenset({"Mock.Example"}))


@pytest.mark.parametrize("host", FOREIGN)
def test_the_control_plane_is_closed_to_foreign_names(host: str) -> None:
    """API and page of the control plane are refused under a foreign name; the contract is served under each."""
    app = create_app()
    client = Client(app)
    for path in ("/_mock/services", "/_mock/", "/_mock/page/page.js"):
        assert client.get(path, headers={"Host": host}).status_code == 403
    assert client.get("/api/v1/r/containers/a", headers={"Host": host}).status_code == 401
    assert client.get("/_mock/services").status_code == 200


@pytest.mark.parametrize("path", ["//_mock/services", "///_mock/"])
def test_more_slashes_open_nothing(path: str) -> None:
    """Flask reads several slashes at the start as one, and so does the check of the name."""
    client = Client(create_app())
    statuses = [
        client.get(environ_overrides={"PATH_INFO": path}, headers={"Host": host}).status_code
        for host in ("evil.example", "localhost")
    ]
    assert statuses == [403, 200]
    assert client.get("/_mock/journal").json["count"] == 0


def test_an_allowed_name_opens_the_control_plane() -> None:
    """A name of the option `hosts` is the mock's own, and the page of a proxy's."""
    hosts = frozenset({"mock.example"})
    for app in (create_app(hosts=hosts), create_proxy("http://127.0.0.1:9/api/v1", hosts=hosts)):
        client = Client(app)
        assert client.get("/_mock/health", headers={"Host": "mock.example"}).status_code == 200
        assert client.get("/_mock/health", headers={"Host": "other.example"}).status_code == 403


def test_loopback() -> None:
    """Other machines reach a server at any address except a loopback one."""
    assert [
        is_loopback(name) for name in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "10.0.0.1", "mock")
    ] == [
        *(True, True, True),
        *(False, False, False, False),
    ]
