"""The example deployment takes one JSON object and nothing else, and never answers with a server error."""

from __future__ import annotations

import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import Client

from examples.deployment.app import create_app, create_wsgi_app
from examples.deployment.choices import DEFAULT, USUAL
from tests.support.gate.example_deployment import (
    BODILESS,
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

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=SETS)
def it(request: pytest.FixtureRequest) -> Iterator[DeployedApp]:
    """Serve each of the sets of choices in turn."""
    with open_deployment(SETS[request.param]) as one:
        yield one


@pytest.fixture(params=[name for name in SETS if not name.startswith(BODILESS)])
def it_reading_bodies(request: pytest.FixtureRequest) -> Iterator[DeployedApp]:
    """Serve the sets of choices that bear on bodies."""
    with open_deployment(SETS[request.param]) as one:
        yield one


def test_other_media_types_are_refused(it: DeployedApp) -> None:
    """The body is application/json and of no other type; the type's letter case does not matter."""
    made = read_accepted_id(it.create(DEPLOYED, Content_Type="Application/JSON"))
    for media in ("text/plain", "text/json", "application/jsonx", "application/merge-patch+json", "x"):
        assert_refused(it.create({**DEPLOYED, "service_slug": "more"}, Content_Type=media))
        assert_refused(it.update(made, {}, Content_Type=media))


GOOD_TEXT = json.dumps(DEPLOYED).encode()
NOT_OBJECTS = [
    b"null",
    b"[]",
    b"[{}]",
    b'"{}"',
    b"1",
    b"true",
    b" ",
    b"{",
    b"{}{}",
    b"{} x",
    b"\xef\xbb\xbf{}",
]
NOT_JSON = [b"{'a': 1}", b'{"gpu_count": NaN}', b'{"gpu_count": 1,}', b"{a: 1}", b'{"gpu_count": 01}']
NASTY = [
    b'{"service_desc": "\xff"}',
    b'{"a":' * 9000 + b"1" + b"}" * 9000,
    b"[" * 60000,
    b'{"service_desc": "a\nb"}',
]


def test_body_is_one_json_object(it: DeployedApp) -> None:
    """The body is exactly one JSON object: nothing else, and nothing after it."""
    made = it.create_service(DEPLOYED, service_slug="made")
    for text in (*NOT_OBJECTS, *NOT_JSON, *NASTY, GOOD_TEXT + b"x", GOOD_TEXT.decode().encode("utf-16")):
        assert_refused(it.create(text))
        assert_refused(it.update(made, text))


def test_never_a_server_error(it_reading_bodies: DeployedApp) -> None:
    """Nothing that is sent makes the deployment fail."""
    it = it_reading_bodies
    made = it.create_service(DEPLOYED)
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
            it.update(made, b'{"' + name + b'": ' + value + b"}")
            it.create(GOOD_TEXT[:-1] + b', "' + name + b'": ' + value + b"}")
    for header in (b"\xff\xfe", b"Bearer \xff", b"Bearer " + b"x" * 9000, b"Bearer a b"):
        assert_refused(it.create(DEPLOYED, Authorization=header))
    for media in (b"\xff", b";", b"application/json;;;", b"application/json; charset=\xff", b"/"):
        it.update(made, {}, Content_Type=media)
    for method, path in (
        ("DELETE", CONTAINERS),
        ("GET", "/%ff%00"),
        ("POST", CONTAINERS + "/"),
        ("PATCH", "/"),
    ):
        assert_refused(it.send(method, path, b""), 404, 405)


def test_sk_callers_on_the_two_operations(it: DeployedApp) -> None:
    """Where sk- callers may manage services they may do both; elsewhere both are refused alike."""
    made, status = it.create_service(DEPLOYED), it.choices.sk_refused_status
    (assert_refused if status else read_accepted_id)(it.update(made, {}, "sk-red"))
    (assert_refused if status else read_accepted_id)(
        it.create({**DEPLOYED, "service_slug": "more"}, "sk-red")
    )


def test_usual_and_default_answer_differently() -> None:
    """The choices are at work: the two sets differ in the statuses of success and in the letters of an id."""
    for choices, statuses in ((DEFAULT, (200, 202)), (USUAL, (201, 200))):
        with open_deployment(choices) as it:
            answer = it.create(DEPLOYED)
            made = read_accepted_id(answer)
            assert (answer.status_code, it.update(made, {}).status_code) == statuses
            assert uuid.UUID(made).version == (4 if choices is DEFAULT else 7)
            assert (set(answer.json()) == {"id"}) is (choices is USUAL)


def test_errors_look_as_chosen() -> None:
    """An error is told in JSON of one form or another, as plain text, or not at all."""
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
    """As a WSGI application it answers likewise, whatever the path holds."""
    client = Client(create_wsgi_app(DEFAULT, CALLERS))
    headers = {"Authorization": f"Bearer {TOKENS['sk-red']}", "X-Team-ID": "\xff"}
    made = client.post(CONTAINERS, json=DEPLOYED, headers=headers)
    assert made.status_code == 200
    assert client.put(f"{CONTAINERS}/{made.json['id']}", headers=headers).status_code == 202
    assert client.put(f"{CONTAINERS}/%ff%00?q=%ff", json={}, headers=headers).status_code == 404


def test_one_of_many_simultaneous_creates_wins() -> None:
    """Checking a slug and storing the service are one step."""
    start, app = threading.Barrier(8), create_wsgi_app(DEFAULT, CALLERS)
    headers = {"Authorization": f"Bearer {TOKENS['dk-red']}"}

    def one(_: int) -> int:
        start.wait()
        return Client(app).post(CONTAINERS, json=DEPLOYED, headers=headers).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(one, range(8))) == [200] + [400] * 7


def test_apps_share_nothing() -> None:
    """Each application has a store of its own."""
    assert create_app(DEFAULT, CALLERS).state.deployment is not create_app(DEFAULT, CALLERS).state.deployment
