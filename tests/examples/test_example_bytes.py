"""The example deployment accepts exactly one JSON object, and never responds with a server error."""

from __future__ import annotations

import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from werkzeug.test import Client, EnvironBuilder, run_wsgi_app

from examples.deployment.app import create_app, create_wsgi_app
from examples.deployment.choices import DEFAULT, USUAL
from tests.support.gate.example_deployment import (
    CALLERS,
    CONTAINERS,
    DEPLOYED,
    SETS,
    TOKENS,
    DeployedApp,
    assert_refused,
    open_deployment,
    read_accepted_id,
)

pytestmark = pytest.mark.slow


def test_other_media_types_are_refused(it: DeployedApp) -> None:
    """The media type is application/json in any letter case."""
    service_id = read_accepted_id(it.create(DEPLOYED, Content_Type="Application/JSON"))
    for media in ("text/plain", "text/json", "application/jsonx", "application/xml", "x"):
        assert_refused(it.create({**DEPLOYED, "service_slug": "more"}, Content_Type=media))
        assert_refused(it.update(service_id, {}, Content_Type=media))


GOOD_TEXT = json.dumps(DEPLOYED).encode()
NOT_OBJECTS = [
    b"[]",
    b"[{}]",
    b'"{}"',
    b"1",
    b"true",
    b" ",
    b"{",
    b"{}{}",
    b"{} x",
]
NOT_JSON = [b"{'a': 1}", b'{"gpu_count": NaN}', b'{"gpu_count": 1,}', b"{a: 1}", b'{"gpu_count": 01}']
NASTY = [
    b'{"a":' * 9000 + b"1" + b"}" * 9000,
    b"[" * 60000,
    b'{"service_desc": "a\nb"}',
]


def test_body_is_one_json_object(it: DeployedApp) -> None:
    """Text that is not exactly one JSON object is assert_refused."""
    service_id = it.create_service(DEPLOYED, service_slug="made")
    assert_refused(it.create(b"null"))
    for text in (*NOT_OBJECTS, *NOT_JSON, *NASTY, GOOD_TEXT + b"x"):
        assert_refused(it.create(text))
        assert_refused(it.update(service_id, text))


def test_no_request_causes_a_server_error(it_reading_bodies: DeployedApp) -> None:
    """Odd values, headers and paths never cause a server error."""
    it = it_reading_bodies
    service_id = it.create_service(DEPLOYED)
    values = [
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"-1e-999",
        b"9" * 4300,
        b"9" * 9000,
        b'"\\ud800"',
        b'"\\u0000"',
    ]
    values += [
        b"[" * 2000 + b"]" * 2000,
        b'{"a":' * 300 + b"1" + b"}" * 300,
        b'{"\\ud800": "\\udfff"}',
        b"null",
    ]
    for value in values:
        for name in (
            b"gpu_count",
            b"service_desc",
            b"env_config",
            b"required_labels",
            b"external_url",
            b"\\ud83d",
        ):
            it.update(service_id, b'{"' + name + b'": ' + value + b"}")
            it.create(GOOD_TEXT[:-1] + b', "' + name + b'": ' + value + b"}")
    for header in (b"\xff\xfe", b"Bearer \xff", b"Bearer " + b"x" * 9000, b"Bearer a b"):
        assert_refused(it.create(DEPLOYED, Authorization=header))
    for media in (b"\xff", b";", b"application/json;;;", b"application/json; charset=\xff", b"/"):
        it.update(service_id, {}, Content_Type=media)
    for method, path in (
        ("DELETE", CONTAINERS),
        ("GET", "/%ff%00"),
        ("POST", CONTAINERS + "/"),
        ("PATCH", "/"),
    ):
        assert_refused(it.send(method, path, b""), 404, 405)


def test_sk_callers_on_the_two_operations(it: DeployedApp) -> None:
    """sk- callers may use both operations, or neither."""
    service_id, status = it.create_service(DEPLOYED), it.choices.sk_refused_status
    (assert_refused if status else read_accepted_id)(it.update(service_id, {}, "sk-red"))
    (assert_refused if status else read_accepted_id)(
        it.create({**DEPLOYED, "service_slug": "more"}, "sk-red")
    )


def test_usual_and_default_choices_differ() -> None:
    """The two sets differ in the statuses of success and the letter case of ids."""
    for choices, statuses in ((DEFAULT, (200, 202)), (USUAL, (201, 200))):
        with open_deployment(choices) as it:
            response = it.create(DEPLOYED)
            service_id = read_accepted_id(response)
            assert (response.status_code, it.update(service_id, {}).status_code) == statuses
            assert uuid.UUID(service_id).version == (4 if choices is DEFAULT else 7)
            assert (set(response.json()) == {"id"}) is (choices is USUAL)


def test_errors_have_the_chosen_form() -> None:
    """An error is JSON of one form or another, plain text, or empty."""
    forms = {
        "default": b'{"ok":',
        "errors-problem": b'{"title":',
        "errors-text": b"Not Found",
        "errors-empty": b"",
    }
    for name, start in forms.items():
        with open_deployment(SETS[name]) as it:
            text = it.send("GET", "/none", b"").content
            assert text.startswith(start)
            assert bool(text) is bool(start)


def test_wsgi_serves_the_same() -> None:
    """The WSGI application gives the same responses."""
    client = Client(create_wsgi_app(DEFAULT, CALLERS))
    headers = {"Authorization": f"Bearer {TOKENS['sk-red']}", "X-Team-ID": "\xff"}
    response = client.post(CONTAINERS, json=DEPLOYED, headers=headers)
    assert response.status_code == 200
    assert client.put(f"{CONTAINERS}/{response.json['id']}", headers=headers).status_code == 202
    assert client.put(f"{CONTAINERS}/%ff%00?q=%ff", json={}, headers=headers).status_code == 404


def test_wsgi_reads_a_body_in_chunks() -> None:
    """A body in chunks is a body (RFC 9112), also where a WSGI server gives no length."""
    headers = {"Authorization": f"Bearer {TOKENS['sk-red']}", "Transfer-Encoding": "chunked"}
    terminated = {"wsgi.input_terminated": True}
    builder = EnvironBuilder(
        CONTAINERS, method="POST", json=DEPLOYED, headers=headers, environ_base=terminated
    )
    environ = builder.get_environ()
    environ.pop("CONTENT_LENGTH")
    _, status, _ = run_wsgi_app(create_wsgi_app(DEFAULT, CALLERS), environ)
    assert status.startswith("200")


def test_one_of_many_simultaneous_creates_wins() -> None:
    """Of many concurrent creates of a slug, exactly one succeeds."""
    start, app = threading.Barrier(8), create_wsgi_app(DEFAULT, CALLERS)
    headers = {"Authorization": f"Bearer {TOKENS['dk-red']}"}

    def create_at_barrier(_: int) -> int:
        start.wait()
        return Client(app).post(CONTAINERS, json=DEPLOYED, headers=headers).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(create_at_barrier, range(8))) == [200] + [400] * 7


def test_apps_share_nothing() -> None:
    """Each application has its own store."""
    assert create_app(DEFAULT, CALLERS).state.deployment is not create_app(DEFAULT, CALLERS).state.deployment
