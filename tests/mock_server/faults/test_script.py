"""The script: faults for the next requests, over a socket of either server and in process."""

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from mock_server import create_app
from mock_server.faults.script import parse_step
from mock_server.testing import serving
from tests.support.api import BODY, CREATE, TOKENS, auth, create_status
from tests.support.processes import mock_server

SCRIPT = "/_mock/script"
#: One client for many generated steps.
SHARED_CLIENT = Client(create_app())


@pytest.fixture
def client() -> Client:
    """Return a mock with an empty script."""
    return Client(create_app())


def test_steps_apply_in_order(client: Client) -> None:
    """Each step is used up before the next one applies."""
    client.post(SCRIPT, json=[{"status": 503, "times": 2}, {"status": 409}])
    assert [create_status(client) for _ in range(4)] == [503, 503, 409, 201]


def test_a_declared_status_has_its_example(client: Client) -> None:
    """An undeclared status is a problem document."""
    client.post(SCRIPT, json=[{"status": 409}, {"status": 429}, {"status": 204}])
    responses = [client.post(CREATE, json=BODY, headers=auth()) for _ in range(3)]
    assert [(response.status_code, response.mimetype) for response in responses[:2]] == [
        (409, "application/problem+json"),
        (429, "application/problem+json"),
    ]
    assert responses[0].json["detail"].startswith("service_slug: got")
    assert (responses[2].status_code, responses[2].data) == (204, b"")


def test_a_step_sets_headers_and_body(client: Client) -> None:
    """A string is sent as text, other values as JSON; a Content-Type of the step is used."""
    html = {"status": 502, "body": "<p>no</p>", "headers": {"Content-Type": "text/html"}}
    client.post(SCRIPT, json=[{"status": 503, "body": {"a": 1}, "headers": {"Retry-After": "7"}}, html])
    first, second = (client.post(CREATE, json=BODY, headers=auth()) for _ in range(2))
    assert (first.json, first.headers["Retry-After"], first.mimetype) == ({"a": 1}, "7", "application/json")
    assert (second.data, second.mimetype) == (b"<p>no</p>", "text/html")
    assert (second.headers["Content-Security-Policy"], second.headers["X-Content-Type-Options"]) == (
        "sandbox",
        "nosniff",
    )


def test_a_step_applies_to_matching_requests_only(client: Client) -> None:
    """Operation, caller and slug must all match."""
    service_id = client.post("/_mock/services", json={**BODY, "service_slug": "mine"}).json["id"]
    step = {"status": 404, "operation": "updateContainer", "caller": "dk-red", "slug": "mine"}
    client.post(SCRIPT, json=step)
    assert create_status(client, caller="dk-red") == 201
    assert client.put(f"{CREATE}/{service_id}", json={}, headers=auth()).status_code == 200
    assert client.put(f"{CREATE}/none", json={}, headers=auth("dk-red")).status_code == 400
    statuses = [
        client.put(f"{CREATE}/{service_id}", json={}, headers=auth("dk-red")).status_code for _ in range(2)
    ]
    assert statuses == [404, 200]


def test_a_slug_is_from_the_body_or_the_path(client: Client) -> None:
    """A create matches by its body and a read by its path; a malformed body matches no slug."""
    client.post(SCRIPT, json={"status": 418, "slug": "picked", "times": 2})
    no_json = {**auth(), "Content-Type": "application/json"}
    assert client.post(CREATE, data=b"[", headers=no_json).status_code == 400
    assert (create_status(client, "other"), create_status(client, "picked")) == (201, 418)
    assert client.get("/api/v1/r/containers/picked", headers=auth()).status_code == 418


def test_steps_are_listed_and_cleared(client: Client) -> None:
    """The list has the remaining uses of each step, and no token."""
    client.post(SCRIPT, json={"status": 500, "times": 3, "body": f"hello {TOKENS['sk-red']}"})
    create_status(client)
    script = client.get(SCRIPT).json
    assert script == {"count": 1, "steps": [{"status": 500, "times": 3, "body": "hello …", "left": 2}]}
    assert (client.delete(SCRIPT).json, create_status(client)) == ({"removed": 1}, 201)


MISTAKES: dict[str, tuple[Any, str]] = {
    "no-object": (3, "expected an object of times, operation"),
    "nothing": ({}, "got no effect, expected status"),
    "unknown-name": ({"stauts": 503}, "did you mean status?"),
    "odd-name": ({"zzz": 503}, "unknown property; available: times, operation"),
    "status": ({"status": 99}, "got 99, expected an integer from 200 to 599"),
    "status-true": ({"status": True}, "got True, expected an integer"),
    "operation": ({"status": 503, "operation": "create"}, "createContainer, updateContainer, readContainer"),
    "caller": ({"status": 503, "caller": {}}, "one of sk-red, sk-blue"),
    "slug": ({"status": 503, "slug": 3}, "expected a string"),
    "times": ({"status": 503, "times": 0}, "an integer from 1"),
    "delay": ({"delay": 61}, "from 0 to 60"),
    "delay-nan": ({"delay": float("nan")}, "from 0 to 60"),
    "drop": ({"drop": 1}, "before (the request is not carried out) or after"),
    "drop-and-status": ({"drop": True, "status": 503}, "no response is sent"),
    "truncate": ({"truncate": -1}, "from 0"),
    "body-alone": ({"body": "x"}, "expected a status with them"),
    "body-of-204": ({"status": 204, "body": "x"}, "expected none with status 204"),
    "headers": ({"status": 503, "headers": ["a"]}, "an object of strings"),
    "header-number": (
        {"status": 429, "headers": {"Retry-After": 1}},
        "Retry-After: got 1, expected a string",
    ),
    "header-split": ({"status": 503, "headers": {"A": "b\r\nC: d"}}, "printable ASCII"),
    "header-framing": ({"status": 503, "headers": {"Content-Length": "1"}}, "does not frame"),
    "header-name": ({"status": 503, "headers": {"A b": "1"}}, "does not frame"),
    "header-name-long": ({"status": 503, "headers": {"A" * 70_000: "1"}}, "at most 100 characters"),
    "header-value-long": ({"status": 503, "headers": {"A": "1" * 70_000}}, "up to 10,000 characters"),
    "headers-many": (
        {"status": 503, "headers": {f"A-{n}": "1" for n in range(30_000)}},
        "got 30000, expected at most 100",
    ),
    "token": ({"status": 503, "caller": TOKENS["sk-red"]}, "got '…', expected one of"),
    "second-of-two": ([{"status": 503}, {"status": 0}], "got 0"),
}


@pytest.mark.parametrize(("step", "message"), MISTAKES.values(), ids=MISTAKES)
def test_an_invalid_step_is_refused(client: Client, step: Any, message: str) -> None:
    """The response is a 400 with the expected value, and the script is unchanged."""
    response = client.post(SCRIPT, data=json.dumps(step))
    assert (response.status_code, response.mimetype) == (400, "application/problem+json")
    assert message in response.json["detail"]
    assert client.get(SCRIPT).json["count"] == 0


@pytest.mark.parametrize("body", [b"", b"[", b"[" * 100_000, b'{"status": 503, "body": "\\ud800"}'])
def test_an_odd_body_causes_no_error(client: Client, body: bytes) -> None:
    """Malformed JSON is refused, and half a surrogate pair can be sent."""
    assert client.post(SCRIPT, data=body).status_code in {200, 400}
    assert create_status(client) in {201, 503}


@pytest.mark.parametrize("name", ["times", "operation", "slug", "delay", "drop", "truncate"])
def test_a_deep_value_is_refused(name: str) -> None:
    """A value that is nested too deeply to be shown is named as such."""
    value: dict[str, Any] = {}
    for _ in range(200_000):
        value = {"a": value}
    with pytest.raises(ValueError, match=f"{name}: got a deeply nested value, expected"):
        parse_step({"status": 503, name: value}, (), (), {})


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_NAMES = [
    "times",
    "operation",
    "caller",
    "slug",
    "status",
    "rule",
    "body",
    "headers",
    "delay",
    "drop",
    "truncate",
]


@pytest.mark.slow
@given(_JSON | st.dictionaries(st.sampled_from(_NAMES), _JSON | st.sampled_from([200, 503, "x"]), max_size=4))
@settings(max_examples=300, deadline=None)
def test_any_step_is_accepted_or_refused(step: Any) -> None:
    """Any JSON is accepted or refused with a problem document, and accepted steps can be listed."""
    client = SHARED_CLIENT
    status = client.post(SCRIPT, data=json.dumps(step)).status_code
    script = client.get(SCRIPT)
    client.delete(SCRIPT)
    assert (status in {200, 400}, script.status_code, script.json["count"] > 0) == (
        True,
        200,
        status == 200 and step != [],
    )


def test_a_script_has_a_limit(client: Client) -> None:
    """A script has a thousand steps at most."""
    full = client.post(SCRIPT, json=[{"status": 503}] * 1000)
    assert (full.status_code, client.post(SCRIPT, json={"status": 503}).status_code) == (200, 400)


def test_a_step_overrides_a_preference(client: Client) -> None:
    """The step applies, and the preference is not reported as applied."""
    client.post(SCRIPT, json={"status": 503})
    response = client.post(CREATE, headers={"Prefer": "code=409"})
    assert (response.status_code, "Preference-Applied" in response.headers) == (503, False)


def test_concurrent_requests_share_a_script(client: Client) -> None:
    """Of many concurrent requests, exactly as many fail as the step says."""
    client.post(SCRIPT, json={"status": 503, "times": 25})
    statuses: list[int] = []

    def send_create(number: int) -> None:
        statuses.append(create_status(Client(client.application), f"thread-{number}"))

    threads = [threading.Thread(target=send_create, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (statuses.count(503), statuses.count(201)) == (25, 15)


def test_a_drop_in_process_raises(client: Client) -> None:
    """The app raises ConnectionResetError, and the journal has a request without a response."""
    client.post(SCRIPT, json={"drop": True})
    with pytest.raises(ConnectionResetError):
        create_status(client)
    assert client.get("/_mock/journal").json["requests"][0]["status"] == 0


# --- over a socket


@pytest.fixture(scope="module", params=["granian", "werkzeug"])
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    """Yield the port of a mock: of the real process, and of the thread of the fixtures."""
    if request.param == "granian":
        with mock_server() as running:
            yield urlsplit(running.url).port or 0
        return
    with serving(create_app()) as origin:
        yield urlsplit(origin).port or 0


def send_request(
    port: int, method: str, path: str, body: Any = None, headers: Any = None
) -> tuple[int, bytes]:
    """Send a request and return the status and the body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        all_headers = {"Content-Type": "application/json", **(headers or {})}
        connection.request(method, path, json.dumps(body), all_headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def create_raw(port: int, slug: str, version: str = "1.1") -> bytes:
    """Send a create, and return all bytes of the response."""
    body = json.dumps({**BODY, "service_slug": slug})
    head = f"POST {CREATE} HTTP/{version}\r\nHost: x\r\nAuthorization: Bearer {TOKENS['sk-red']}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall((head + body).encode())
        response = b""
        while chunk := connection.recv(4096):
            response += chunk
        return response


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_dropped_connection_ends_without_a_byte(port: int, when: str, version: str) -> None:
    """The service is stored only if the drop is after the request."""
    send_request(port, "POST", SCRIPT, {"drop": when})
    slug = f"drop-{when}-{version[-1]}"
    assert create_raw(port, slug, version) == b""
    services = json.loads(send_request(port, "GET", "/_mock/services")[1])["services"]
    assert (slug in [service["service_slug"] for service in services]) == (when == "after")


@pytest.mark.parametrize("keep", [True, 0, 5])
def test_a_truncated_response_is_shorter_than_its_length(port: int, keep: int) -> None:
    """The head is complete, the body is not, and the connection ends."""
    send_request(port, "POST", SCRIPT, {"truncate": keep})
    head, body = create_raw(port, f"cut-{keep}".lower()).split(b"\r\n\r\n")
    expected_size = 22 if keep is True else keep
    assert (b" 201 " in head.splitlines()[0], b"content-length: 45" in head.lower()) == (True, True)
    assert len(body) in {expected_size, expected_size + 1}


def test_a_response_of_a_step_can_be_truncated(port: int) -> None:
    """Status and body are those of the step, and part of the body is sent."""
    send_request(port, "POST", SCRIPT, {"status": 500, "body": "abcdef", "truncate": 2})
    head, body = create_raw(port, "cut").split(b"\r\n\r\n")
    assert (b" 500 " in head.splitlines()[0], body) == (True, b"ab")


def test_the_server_continues_after_a_fault(port: int) -> None:
    """A dropped or truncated response does not affect the next request."""
    for step in ({"drop": True}, {"truncate": True}):
        send_request(port, "POST", SCRIPT, step)
        create_raw(port, "lives-on")
    assert send_request(port, "GET", "/_mock/health")[0] == 200


def test_a_drop_affects_one_connection(port: int) -> None:
    """Concurrent requests on other connections succeed."""
    send_request(port, "POST", SCRIPT, {"drop": True, "times": 10, "caller": "dk-red"})
    statuses: list[int] = []

    def send_create(number: int) -> None:
        headers = auth("dk-red" if number % 2 else "sk-red")
        try:
            statuses.append(
                send_request(port, "POST", CREATE, {**BODY, "service_slug": f"one-{number}"}, headers)[0]
            )
        except OSError:
            statuses.append(0)

    threads = [threading.Thread(target=send_create, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (statuses.count(0), statuses.count(201)) == (10, 10)


def test_several_prefer_headers_are_combined(port: int) -> None:
    """Two fields over a socket both count."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(
            f"POST {CREATE} HTTP/1.1\r\nHost: x\r\nPrefer: wait=0\r\nPrefer: code=409\r\n"
            "Connection: close\r\nContent-Length: 0\r\n\r\n".encode()
        )
        response = b""
        while chunk := connection.recv(4096):
            response += chunk
    assert b" 409 " in response.splitlines()[0]
    assert b"preference-applied: code=409, wait=0" in response.lower()


def test_a_step_with_a_rule_is_its_refusal(client: Client) -> None:
    """It has the violation of the rule, and applies to the operations of the rule only; headers are added."""
    client.post(SCRIPT, json={"rule": "not-while-busy", "headers": {"Retry-After": "1"}})
    assert create_status(client) == 201
    service_id = client.get("/_mock/services").json["services"][0]["id"]
    response = client.put(f"{CREATE}/{service_id}", json={}, headers=auth())
    assert (
        response.status_code,
        response.json["violations"][0]["rule"],
        response.headers["Retry-After"],
    ) == (
        409,
        "not-while-busy",
        "1",
    )


RULES: dict[str, tuple[dict[str, Any], str]] = {
    "misspelt": ({"rule": "slug-uniqe"}, "expected the id of a rule; did you mean slug-unique?"),
    "no-text": ({"rule": 7}, "rule: got 7, expected the id of a rule"),
    "permission": ({"rule": "update-partial"}, "expected a constraint: no request breaks this permission"),
    "status": (
        {"rule": "slug-unique", "status": 400},
        "status: got 400, expected a status of slug-unique: 409",
    ),
    "operation": (
        {"rule": "slug-unique", "operation": "updateContainer"},
        "expected an operation of slug-unique: createContainer",
    ),
    "body": ({"rule": "slug-unique", "body": {}}, "got a body and a rule, expected one of them"),
    "drop": ({"rule": "slug-unique", "drop": True}, "expected neither status, rule nor truncate"),
}


@pytest.mark.parametrize(("step", "message"), RULES.values(), ids=RULES)
def test_an_invalid_rule_of_a_step_is_refused(client: Client, step: dict[str, Any], message: str) -> None:
    """The response is a 400 with the expected value, and the rule that was meant."""
    response = client.post(SCRIPT, json=step)
    assert (response.status_code, message in response.json["detail"]) == (400, True)


def test_an_injected_fault_is_marked() -> None:
    """Log, journal and page mark each kind of step, and no other request; the violation is recorded."""
    lines: list[str] = []
    client = Client(create_app(log=lines.append))
    client.post(SCRIPT, json=[{"status": 409}, {"drop": "before"}, {"drop": "after"}, {"delay": 0.001}])
    for number in range(5):
        with contextlib.suppress(ConnectionResetError):
            create_status(client, f"slug-{number}")
    entries = client.get("/_mock/journal").json["requests"]
    assert [entry["injected"] for entry in entries] == ["script"] * 4 + [None]
    assert ["; injected: script" in line for line in lines[1:6]] == [True] * 4 + [False]
    assert (entries[0]["rules"], entries[0]["status"]) == (["slug-unique"], 409)
    assert client.get("/_mock/").text.count(">injected<") == 4
    assert "Injected: a step of the script." in client.get("/_mock/requests/1").text
