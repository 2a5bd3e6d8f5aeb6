"""Scripts and chance: what happens to the next calls, over a socket of either server and in process."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from mock_server import create_app
from mock_server.faults.fault import InjectedFault
from mock_server.faults.random_faults import RandomFaults, parse_latency
from mock_server.testing import serving
from tests.mock_server.admin.test_api import BODY, CREATE, TOKENS, auth
from tests.support.processes import mock_server, run

SCRIPT = "/_mock/script"
#: One mock for many generated steps.
ODD = Client(create_app())


@pytest.fixture
def client() -> Client:
    """A mock with an empty script."""
    return Client(create_app())


def create(client: Client, slug: str = "scripted", caller: str = "sk-red") -> int:
    """The status of a create."""
    return client.post(CREATE, json={**BODY, "service_slug": slug}, headers=auth(caller)).status_code


def test_the_next_calls_are_answered_in_order(client: Client) -> None:
    """Each step is used up before the next, and then calls are carried out again."""
    client.post(SCRIPT, json=[{"status": 503, "times": 2}, {"status": 409}])
    assert [create(client) for _ in range(4)] == [503, 503, 409, 201]


def test_a_declared_status_comes_with_the_example(client: Client) -> None:
    """Another status comes as a problem document that says so."""
    client.post(SCRIPT, json=[{"status": 409}, {"status": 429}, {"status": 204}])
    told = [client.post(CREATE, json=BODY, headers=auth()) for _ in range(3)]
    assert [(got.status_code, got.mimetype) for got in told[:2]] == [
        (409, "application/problem+json"),
        (429, "application/problem+json"),
    ]
    assert told[0].json["detail"].startswith("service_slug: got")
    assert (told[2].status_code, told[2].data) == (204, b"")


def test_headers_and_body_may_be_given(client: Client) -> None:
    """A text is sent as it is, anything else as JSON; a Content-Type of one's own counts."""
    html = {"status": 502, "body": "<p>no</p>", "headers": {"Content-Type": "text/html"}}
    client.post(SCRIPT, json=[{"status": 503, "body": {"a": 1}, "headers": {"Retry-After": "7"}}, html])
    first, second = (client.post(CREATE, json=BODY, headers=auth()) for _ in range(2))
    assert (first.json, first.headers["Retry-After"], first.mimetype) == ({"a": 1}, "7", "application/json")
    assert (second.data, second.mimetype) == (b"<p>no</p>", "text/html")


def test_a_step_waits_for_the_call_that_it_is_for(client: Client) -> None:
    """Operation, caller and slug must all match; other calls are carried out."""
    made = client.post("/_mock/services", json={**BODY, "service_slug": "mine"}).json["id"]
    step = {"status": 404, "operation": "updateContainer", "caller": "dk-red", "slug": "mine"}
    client.post(SCRIPT, json=step)
    assert create(client, caller="dk-red") == 201
    assert client.put(f"{CREATE}/{made}", json={}, headers=auth()).status_code == 200
    assert client.put(f"{CREATE}/none", json={}, headers=auth("dk-red")).status_code == 400
    answers = [client.put(f"{CREATE}/{made}", json={}, headers=auth("dk-red")).status_code for _ in range(2)]
    assert answers == [404, 200]


def test_a_slug_is_that_of_the_body_or_of_the_path(client: Client) -> None:
    """A create is matched by its body, a read by its path; a body that is no JSON matches none."""
    client.post(SCRIPT, json={"status": 418, "slug": "picked", "times": 2})
    no_json = {**auth(), "Content-Type": "application/json"}
    assert client.post(CREATE, data=b"[", headers=no_json).status_code == 400
    assert (create(client, "other"), create(client, "picked")) == (201, 418)
    assert client.get("/api/v1/r/containers/picked", headers=auth()).status_code == 418


def test_steps_are_listed_and_cleared(client: Client) -> None:
    """The list says how many calls each step still waits for, and shows no token."""
    client.post(SCRIPT, json={"status": 500, "times": 3, "body": f"hello {TOKENS['sk-red']}"})
    create(client)
    listed = client.get(SCRIPT).json
    assert listed == {"count": 1, "steps": [{"status": 500, "times": 3, "body": "hello …", "left": 2}]}
    assert (client.delete(SCRIPT).json, create(client)) == ({"removed": 1}, 201)


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
    "header-split": ({"status": 503, "headers": {"A": "b\r\nC: d"}}, "printable ASCII"),
    "header-framing": ({"status": 503, "headers": {"Content-Length": "1"}}, "does not frame"),
    "header-name": ({"status": 503, "headers": {"A b": "1"}}, "does not frame"),
    "token": ({"status": 503, "caller": TOKENS["sk-red"]}, "got '…', expected one of"),
    "second-of-two": ([{"status": 503}, {"status": 0}], "got 0"),
}


@pytest.mark.parametrize(("step", "told"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistaken_step_is_refused_with_what_is_right(client: Client, step: Any, told: str) -> None:
    """It is a 400 problem, and nothing of the script is taken."""
    got = client.post(SCRIPT, data=json.dumps(step))
    assert (got.status_code, got.mimetype) == (400, "application/problem+json")
    assert told in got.json["detail"]
    assert client.get(SCRIPT).json["count"] == 0


@pytest.mark.parametrize("raw", [b"", b"[", b"[" * 100_000, b'{"status": 503, "body": "\\ud800"}'])
def test_no_body_of_a_script_is_too_odd(client: Client, raw: bytes) -> None:
    """What is no JSON is refused, and half a surrogate pair can be sent."""
    assert client.post(SCRIPT, data=raw).status_code in {200, 400}
    assert create(client) in {201, 503}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_NAMES = ["times", "operation", "caller", "slug", "status", "body", "headers", "delay", "drop", "truncate"]


@given(_JSON | st.dictionaries(st.sampled_from(_NAMES), _JSON | st.sampled_from([200, 503, "x"]), max_size=4))
@settings(max_examples=300, deadline=None)
def test_no_step_makes_the_mock_fail(step: Any) -> None:
    """Any JSON is taken or refused with a problem, and what is taken can be listed."""
    client = ODD
    taken = client.post(SCRIPT, data=json.dumps(step)).status_code
    listed = client.get(SCRIPT)
    client.delete(SCRIPT)
    assert (taken in {200, 400}, listed.status_code, listed.json["count"] > 0) == (
        True,
        200,
        taken == 200 and step != [],
    )


def test_a_script_has_an_end(client: Client) -> None:
    """It holds a thousand steps and refuses more."""
    full = client.post(SCRIPT, json=[{"status": 503}] * 1000)
    assert (full.status_code, client.post(SCRIPT, json={"status": 503}).status_code) == (200, 400)


def test_a_step_goes_before_a_preference(client: Client) -> None:
    """The script wins, and the preference is not said to be applied."""
    client.post(SCRIPT, json={"status": 503})
    got = client.post(CREATE, headers={"Prefer": "code=409"})
    assert (got.status_code, "Preference-Applied" in got.headers) == (503, False)


def test_threads_share_a_script(client: Client) -> None:
    """Of many calls at once exactly as many fail as the step says."""
    client.post(SCRIPT, json={"status": 503, "times": 25})
    found: list[int] = []

    def call(number: int) -> None:
        found.append(create(Client(client.application), f"thread-{number}"))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found.count(503), found.count(201)) == (25, 15)


def test_without_a_connection_a_drop_is_an_exception(client: Client) -> None:
    """In process the app raises ConnectionResetError, and the journal notes a call without an answer."""
    client.post(SCRIPT, json={"drop": True})
    with pytest.raises(ConnectionResetError):
        create(client)
    assert client.get("/_mock/journal").json["requests"][0]["status"] == 0


# --- over a real socket


@pytest.fixture(scope="module", params=["granian", "werkzeug"])
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    """The port of a mock: the real process, and the thread of the fixtures."""
    if request.param == "granian":
        with mock_server() as running:
            yield urlsplit(running.url).port or 0
        return
    with serving(create_app()) as origin:
        yield urlsplit(origin).port or 0


def exchange(port: int, method: str, path: str, body: Any = None, headers: Any = None) -> tuple[int, bytes]:
    """The status and the body of a call."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        sent = {"Content-Type": "application/json", **(headers or {})}
        connection.request(method, path, json.dumps(body), sent)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def raw_bytes(port: int, slug: str, version: str = "1.1") -> bytes:
    """All that comes back for a create until the connection ends."""
    body = json.dumps({**BODY, "service_slug": slug})
    head = f"POST {CREATE} HTTP/{version}\r\nHost: x\r\nAuthorization: Bearer {TOKENS['sk-red']}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall((head + body).encode())
        received = b""
        while chunk := connection.recv(4096):
            received += chunk
        return received


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_dropped_connection_ends_without_a_byte(port: int, when: str, version: str) -> None:
    """The client sees the connection end; the service is there only if it was to be lost afterwards."""
    exchange(port, "POST", SCRIPT, {"drop": when})
    slug = f"drop-{when}-{version[-1]}"
    assert raw_bytes(port, slug, version) == b""
    stored = json.loads(exchange(port, "GET", "/_mock/services")[1])["services"]
    assert (slug in [service["service_slug"] for service in stored]) == (when == "after")


@pytest.mark.parametrize("keep", [True, 0, 5])
def test_a_truncated_answer_ends_before_its_length(port: int, keep: int) -> None:
    """The head is whole, the body is not, and the connection ends."""
    exchange(port, "POST", SCRIPT, {"truncate": keep})
    head, body = raw_bytes(port, f"cut-{keep}".lower()).split(b"\r\n\r\n")
    kept = 22 if keep is True else keep
    assert (b" 201 " in head.splitlines()[0], b"content-length: 45" in head.lower()) == (True, True)
    assert len(body) in {kept, kept + 1}


def test_a_given_answer_may_be_cut_too(port: int) -> None:
    """Status and body are those of the step, of which a part is sent."""
    exchange(port, "POST", SCRIPT, {"status": 500, "body": "abcdef", "truncate": 2})
    head, body = raw_bytes(port, "cut").split(b"\r\n\r\n")
    assert (b" 500 " in head.splitlines()[0], body) == (True, b"ab")


def test_the_server_lives_on(port: int) -> None:
    """After every trouble the next call is carried out."""
    for step in ({"drop": True}, {"truncate": True}):
        exchange(port, "POST", SCRIPT, step)
        raw_bytes(port, "lives-on")
    assert exchange(port, "GET", "/_mock/health")[0] == 200


def test_a_drop_is_of_one_connection_alone(port: int) -> None:
    """Calls at the same time on other connections are answered."""
    exchange(port, "POST", SCRIPT, {"drop": True, "times": 10, "caller": "dk-red"})
    ends: list[int] = []

    def call(number: int) -> None:
        headers = auth("dk-red" if number % 2 else "sk-red")
        try:
            ends.append(exchange(port, "POST", CREATE, {**BODY, "service_slug": f"one-{number}"}, headers)[0])
        except OSError:
            ends.append(0)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (ends.count(0), ends.count(201)) == (10, 10)


def test_several_prefer_headers_are_one_list(port: int) -> None:
    """Sent as two fields over a socket, both count."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(
            f"POST {CREATE} HTTP/1.1\r\nHost: x\r\nPrefer: wait=0\r\nPrefer: code=409\r\n"
            "Connection: close\r\nContent-Length: 0\r\n\r\n".encode()
        )
        received = b""
        while chunk := connection.recv(4096):
            received += chunk
    assert b" 409 " in received.splitlines()[0]
    assert b"preference-applied: code=409, wait=0" in received.lower()


# --- chance

LATENCIES = {
    "200ms": (0.2, 0.2),
    "50-200ms": (0.05, 0.2),
    "1.5s": (1.5, 1.5),
    "0.1-2s": (0.1, 2.0),
    "0ms": (0, 0),
}


@pytest.mark.parametrize(("text", "expected"), LATENCIES.items(), ids=LATENCIES)
def test_a_latency_is_one_time_or_a_range(text: str, expected: tuple[float, float]) -> None:
    """In milliseconds or seconds."""
    assert parse_latency(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["200", "200-50ms", "61s", "-1ms", "fast", "1ms-2s", "9" * 50 + "s"])
def test_a_latency_that_is_none_is_refused(text: str) -> None:
    """The message says what one looks like."""
    with pytest.raises(ValueError, match=r"latency: got .*, expected"):
        parse_latency(text)


def drawn(seed: int, slow: str = "") -> list[str]:
    """What chance does to two hundred calls."""
    chance = RandomFaults(slow, 0.2, seed)
    return [_kind(chance.draw()[1]) for _ in range(200)]


def _kind(fault: InjectedFault | None) -> str:
    return "-" if fault is None else str(fault.response.status) if fault.response else fault.drop


def test_a_seed_repeats_its_faults() -> None:
    """The same seed gives the same ones, another seed others, and the latency has no say in them."""
    assert drawn(7) == drawn(7) == drawn(7, "1-5ms")
    assert drawn(7) != drawn(8)
    assert set(drawn(7)) == {"-", "503", "before"}
    assert 20 < 200 - drawn(7).count("-") < 60


def test_faults_by_chance_reach_the_caller() -> None:
    """With a rate of 1 every call fails, with 503 and Retry-After or without an answer; the control plane never."""
    client, seen = Client(create_app(fault_rate=1, seed=1)), []
    for _ in range(12):
        try:
            got = client.post(CREATE, json=BODY, headers=auth())
            seen.append((got.status_code, got.headers.get("Retry-After")))
        except ConnectionResetError:
            seen.append((0, None))
    assert set(seen) == {(503, "1"), (0, None)}
    assert client.get("/_mock/services").json["count"] == 0


def test_latency_is_for_every_call() -> None:
    """Each is carried out and answered later; the control plane answers at once."""
    client, started = Client(create_app(latency="100ms")), time.perf_counter()
    assert (create(client), create(client, "other")) == (201, 201)
    assert time.perf_counter() - started >= 0.2


@pytest.mark.parametrize(
    ("argument", "told"), [("--latency=soon", "latency: got"), ("--fault-rate=2", "fault-rate")], ids=str
)
def test_the_command_line_refuses_what_it_cannot_do(argument: str, told: str) -> None:
    """Exit code 2 and what is wanted."""
    done = run("--port", "0", argument)
    assert (done.returncode, told in done.stderr) == (2, True)


def test_the_greeting_tells_the_seed() -> None:
    """A run without a seed can be repeated: the one that was drawn is printed."""
    with mock_server("--fault-rate", "0.5", "--latency", "1-2ms") as running:
        line = next(line for line in running.greeting.splitlines() if line.startswith("Random faults"))
    assert "--latency 1-2ms --fault-rate 0.5 --seed " in line
