"""The control hook's URL."""

import socket
from typing import Any

import pytest

from contract_tests.targets.base import Target, TargetError
from contract_tests.targets.control_hook import ControlHook
from contract_tests.targets.http import HttpTarget
from contract_tests.targets.rate_limit import RateLimitedTarget
from contract_tests.targets.wsgi import WsgiTarget
from tests.support.clients import serving


@pytest.mark.parametrize(
    "template",
    [
        "http://[::1/{id}{status}",
        "http://h:99999/{id}{status}",
        "http://h:port/{id}{status}",
        "ftp://h/{id}{status}",
        "PUT h/{id}/{status}",
        "http://me:secret@h/{id}/{status}",
        "http://h/{id}",
    ],
)
def test_an_unusable_url_names_the_option(template: str) -> None:
    """The error is one sentence about --control-hook, and a password is not repeated."""
    with pytest.raises(TargetError) as caught:
        ControlHook(template, HttpTarget("http://h/api"))
    assert str(caught.value).startswith("--control-hook ")
    assert "secret" not in str(caught.value)


def test_a_url_is_usable() -> None:
    """A URL may be of another host, and have another method, with blanks between them."""
    ControlHook("PUT https://h:1/{id}/{status}", HttpTarget("http://h/api"))
    methods: list[str] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        methods.append(environ["REQUEST_METHOD"])
        start_response("204 No Content", [])
        return []

    assert ControlHook("put   /{id}/{status}", WsgiTarget(app)).set_status("one", "running") == ""
    assert methods == ["PUT"]


@pytest.mark.parametrize("limited", [False, True], ids=["", "with --rate"])
def test_a_path_belongs_to_the_host_of_the_target(*, limited: bool) -> None:
    """It is no path below the base URL; a limit of requests makes no difference."""
    paths: list[str] = []

    def app(environ: dict[str, str], start_response: Any) -> list[bytes]:
        paths.append(environ["PATH_INFO"])
        start_response("204 No Content", [])
        return []

    target: Target = WsgiTarget(app)
    hook = ControlHook("/ops/{id}/{status}", RateLimitedTarget(target, 1000) if limited else target)
    assert hook.set_status("a", "running") == ""
    with serving(app) as port:
        http = HttpTarget(f"http://127.0.0.1:{port}/api/v1")
        hook = ControlHook("/ops/{id}/{status}", RateLimitedTarget(http, 1000) if limited else http)
        assert hook.set_status("b", "running") == ""
    assert paths == ["/ops/a/running", "/ops/b/running"]


@pytest.mark.timeout(15)  # four tries of the usual ten seconds would take longer
@pytest.mark.parametrize("absolute", [False, True])
def test_a_hook_has_the_time_limit_of_the_target(absolute: bool) -> None:
    """`--timeout` is for the calls of the hook, too, whether it is a path or a URL."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"http://127.0.0.1:{silent.getsockname()[1]}"
        hook = ControlHook(
            f"{host if absolute else ''}/{{id}}/{{status}}", HttpTarget(f"{host}/api", timeout=0.05)
        )
        assert "time" in hook.set_status("a", "running")
