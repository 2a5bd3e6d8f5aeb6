"""Odd requests get a problem document, in process and over a socket."""

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_server import create_app
from tests.support.clients import over_socket, over_wsgi, serving
from tests.support.fixture_player import Response, Send

TOKEN = "sk-red-5f0c7c1e9a"
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
CREATE = "/api/v1/containers"
SERVICE = f"{CREATE}/0192f0c1-9a8b-7c6d-9e5f-404142434445"


@pytest.fixture(scope="module", params=["wsgi", "socket"])
def send(request: pytest.FixtureRequest) -> Send:
    """Return a function that sends requests to a mock."""
    client = over_wsgi if request.param == "wsgi" else over_socket
    return request.getfixturevalue("closing")(client())


def read_problem(response: Response) -> tuple[int, list[str]]:
    """Return the status and the rules of a problem document."""
    document = response.json()
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (document["type"], document["status"]) == ("about:blank", response.status)
    assert document["title"]
    assert document["detail"]
    return response.status, [violation["rule"] for violation in document.get("violations", ())]


def create_body(**changes: Any) -> bytes:
    """Return the body of a valid create with changes."""
    return json.dumps({"service_slug": "wire", "display_name": "d", "docker_image": "n", **changes}).encode()


TEXT = '{"service_slug": "wire", "display_name": "d", "docker_image": "n", "x": %s}'
BODIES: dict[str, tuple[bytes, tuple[int, list[str]]]] = {
    "empty": (b"", (400, ["body-json"])),
    "not-json": (b"hello", (400, ["body-json"])),
    "nan": ((TEXT % "NaN").encode(), (400, ["body-json"])),
    "infinity": ((TEXT % "-Infinity").encode(), (400, ["body-json"])),
    "integer-of-5000-digits": ((TEXT % ("9" * 5000)).encode(), (400, ["body-json"])),
    "byte-order-mark": (b"\xef\xbb\xbf" + create_body(), (400, ["body-json"])),
    "utf-16": (create_body().decode().encode("utf-16"), (400, ["body-json"])),
    "latin-1": (TEXT.replace('"d"', '"\xe9"').replace("%s", "1").encode("latin-1"), (400, ["body-json"])),
    "raw-nul": (b'{"a": "\x00"}', (400, ["body-json"])),
    "depth-100000": (b"[" * 100_000, (400, ["body-depth"])),
    "depth-100000-closed": (b"[" * 100_000 + b"]" * 100_000, (400, ["body-depth"])),
    "depth-100000-objects": (b'{"a":' * 100_000, (400, ["body-depth"])),
    "depth-101": ((TEXT % ("[" * 100 + "]" * 100)).encode(), (400, ["body-depth"])),
    "lone-surrogate": (create_body(display_name="\ud800"), (400, ["body-text"])),
    "lone-surrogate-key": (create_body(**{"\udfff": 1}), (400, ["body-text"])),
    "escaped-nul": (create_body(display_name="a\x00"), (400, ["body-text"])),
    "escaped-nul-deep": (create_body(x=[{"y": ["\x00"]}]), (400, ["body-text"])),
    "same-key-twice": (b'{"a": 1, "a": 2}', (400, ["body-keys"])),
    "same-key-twice-deep": ((TEXT % '[{"a": 1, "a": 1}]').encode(), (400, ["body-keys"])),
    "same-key-twice-once-escaped": (rb'{"a": 1, "\u0061": 2}', (400, ["body-keys"])),
    "same-key-twice-and-an-escaped-colon": (rb'{"a": 1, "a": 2, "b": "\u003A"}', (400, ["body-keys"])),
    "same-key-twice-and-a-large-integer": (b'{"a": 1, "a": 18446744073709551616}', (400, ["body-keys"])),
    "too-large": (create_body(x="a" * 2_000_000), (413, ["body-size"])),
    "1e400": (create_body()[:-1] + b', "exposed_port": 1e400}', (400, ["exposed-port-type"])),
    "integer-of-4000-digits": (
        create_body()[:-1] + b', "exposed_port": ' + b"9" * 4000 + b"}",
        (400, ["exposed-port-range"]),
    ),
    "true-for-an-integer": (create_body(exposed_port=True), (400, ["exposed-port-type"])),
    "slug-with-newline": (create_body(service_slug="abc\n"), (400, ["service-slug-pattern"])),
    "slug-of-other-digits": (create_body(service_slug="\u0661\u0662\u0663"), (400, ["service-slug-pattern"])),
    "256-emoji": (create_body(display_name="\U0001f600" * 256), (400, ["display-name-length"])),
    "brackets-in-a-string": (
        create_body(display_name="[" * 150, exposed_port=0),
        (400, ["exposed-port-range"]),
    ),
}


@pytest.mark.parametrize(("raw_body", "expected"), BODIES.values(), ids=BODIES)
def test_an_odd_body_is_refused_by_its_rule(
    send: Send, raw_body: bytes, expected: tuple[int, list[str]]
) -> None:
    """The response is a problem document with that status and rule."""
    assert read_problem(send("POST", CREATE, HEADERS, raw_body)) == expected


ACCEPTED = {
    "8080.0": create_body(service_slug="accepted-1", exposed_port=8080.0),
    "8.08e3": create_body(service_slug="accepted-2")[:-1] + b', "exposed_port": 8.08e3}',
    "255-emoji": create_body(service_slug="accepted-3", display_name="\U0001f600" * 255),
    "depth-100": create_body(service_slug="accepted-4")[:-1] + b', "x": ' + b"[" * 99 + b"]" * 99 + b"}",
    "surrogate-pair": create_body(service_slug="accepted-5", display_name="\U0001f600"),
    "1-mebibyte": create_body(service_slug="accepted-6", x="a" * (1024 * 1024 - 91)),
    "large-integer": create_body(service_slug="accepted-8")[:-1] + b', "x": 18446744073709551616}',
    "escaped-colon": create_body(service_slug="accepted-9")[:-1] + rb', "x\u003a": "\u003a:"}',
    "backslash-u-in-text": create_body(service_slug="accepted-7", display_name="\\u0000 \\ud800"),
}


@pytest.mark.parametrize("raw_body", ACCEPTED.values(), ids=ACCEPTED)
def test_a_near_miss_is_accepted(send: Send, raw_body: bytes) -> None:
    """A body just within the rules creates a service."""
    assert send("POST", CREATE, HEADERS, raw_body).status == 201


def draw_object(draw: Any, depth: int = 0) -> tuple[str, bool]:
    """Return the text of an object, and whether an object in it has a key twice."""
    keys = draw(st.lists(st.sampled_from(["a", ":", "\\", '"', "\U0001f600", "{", "b:"]), max_size=3))
    members, twice = [], len(set(keys)) < len(keys)
    for key in keys:
        value = json.dumps(key)
        if depth < 2 and draw(st.booleans()):
            value, within = draw_object(draw, depth + 1)
            twice |= within
        members.append(f"{json.dumps(key, ensure_ascii=draw(st.booleans()))}: [{value}]")
    return "{" + ",".join(members) + "}", twice


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_duplicate_key_is_refused(data: st.DataObject) -> None:
    """A body is refused exactly if one of its objects has a key twice, in any spelling."""
    text, twice = draw_object(data.draw)
    with over_wsgi() as send:
        response = send("PUT", SERVICE, HEADERS, text.encode())
    assert read_problem(response) == ((400, ["body-keys"]) if twice else (404, ["service-exists"]))


MEDIA_TYPES = {
    "missing": (None, 415),
    "empty": ("", 415),
    "text": ("text/json", 415),
    "merge-patch": ("application/merge-patch+json", 415),
    "problem": ("application/problem+json", 415),
    "list": ("application/json, text/plain", 415),
    "latin-1": ("application/json; charset=latin-1", 415),
    "utf-16": ('application/json; charset="utf-16"', 415),
    "upper-case": ("APPLICATION/JSON", 404),
    "utf-8": ("application/json; charset=UTF-8", 404),
    "quoted-utf-8": ('application/json;charset="utf-8"', 404),
    "other-parameter": ("application/json; profile=x", 404),
}


@pytest.mark.parametrize(("media_type", "status"), MEDIA_TYPES.values(), ids=MEDIA_TYPES)
def test_the_media_type_is_json_in_utf_8(send: Send, media_type: str | None, status: int) -> None:
    """Another type or charset is refused with 415."""
    headers = {"Authorization": HEADERS["Authorization"]}
    headers |= {} if media_type is None else {"Content-Type": media_type}
    rule = {415: "body-media-type", 404: "service-exists"}[status]
    assert read_problem(send("PUT", SERVICE, headers, b"{}")) == (status, [rule])


REQUESTS = {
    "unknown-path": ("GET", "/nothing", 404),
    "path-without-prefix": ("POST", "/containers", 404),
    "root": ("GET", "/", 404),
    "slash-at-the-end": ("POST", f"{CREATE}/", 404),
    "double-slash": ("POST", "/api/v1//containers", 404),
    "encoded-slash": ("PUT", f"{CREATE}/a%2Fb", 404),
    "dots": ("POST", "/api/v1/../v1/containers", 404),
    "no-utf-8": ("PUT", f"{CREATE}/%ff%fe", 400),
    "nul-in-path": ("PUT", f"{CREATE}/%00", 400),
    "newline-in-path": ("PUT", f"{SERVICE}%0A", 400),
    "get": ("GET", CREATE, 405),
    "head": ("HEAD", CREATE, 405),
    "options": ("OPTIONS", CREATE, 405),
    "delete": ("DELETE", SERVICE, 405),
    "patch": ("PATCH", SERVICE, 405),
    "made-up-method": ("FROB", CREATE, 405),
    "unknown-control": ("GET", "/_mock/nothing", 404),
    "control-method": ("PATCH", "/_mock/journal", 405),
}


@pytest.mark.parametrize(("method", "path", "status"), REQUESTS.values(), ids=REQUESTS)
def test_an_odd_request_line_is_refused(send: Send, method: str, path: str, status: int) -> None:
    """The response is a problem document, with Allow for a wrong method."""
    response = send(method, path, HEADERS, b"" if method == "HEAD" else b"{}")
    assert response.status == status
    assert (status == 405) == ("Allow" in response.headers)
    assert method == "HEAD" or read_problem(response)


def test_allow_names_the_methods_of_the_path(send: Send) -> None:
    """Allow lists the methods of the contract for the path."""
    assert [send("GET", path, {}, b"").headers["Allow"] for path in (CREATE, SERVICE)] == ["POST", "PUT"]


HEADER_VALUES = {
    "token-latin-1": ({"Authorization": "Bearer caf\xe9"}, 401),
    "token-with-blank": ({"Authorization": f"Bearer {TOKEN} {TOKEN}"}, 401),
    "scheme-in-lower-case": ({"Authorization": f"bearer {TOKEN}"}, 404),
    "two-blanks": ({"Authorization": f"Bearer  {TOKEN}"}, 404),
    "team-latin-1": ({"X-Team-ID": "\xe9" * 40}, 404),
    "very-long": ({"X-Odd": "a" * 8000}, 404),
    "expect-nothing-odd": ({"Accept": "text/html", "Accept-Encoding": "br", "Accept-Charset": "utf-7"}, 404),
}


@pytest.mark.parametrize(("headers", "status"), HEADER_VALUES.values(), ids=HEADER_VALUES)
def test_an_odd_header_causes_no_error(send: Send, headers: dict[str, str], status: int) -> None:
    """The status is the usual one, in a problem document."""
    assert read_problem(send("PUT", SERVICE, HEADERS | headers, b"{}"))[0] == status


def test_a_401_has_a_challenge(send: Send) -> None:
    """A 401 has WWW-Authenticate."""
    assert send("POST", CREATE, {}, b"{}").headers["WWW-Authenticate"] == "Bearer"


def test_all_violations_of_a_stage_are_reported(send: Send) -> None:
    """Each violation has its rule, location, pointer and actual value."""
    raw_body = b'{"service_slug": "Ab\\n", "exposed_port": "80", "env_config": [{"env_name": 1}]}'
    violations = send("POST", CREATE, HEADERS, raw_body).json()["violations"]
    assert {(v["rule"], v["in"], v["pointer"], v["actual"]) for v in violations} == {
        ("service-slug-pattern", "body", "/service_slug", '"Ab\\n"'),
        ("exposed-port-type", "body", "/exposed_port", '"80"'),
        ("env-name-type", "body", "/env_config/0/env_name", "1"),
        ("env-value-required", "body", "/env_config/0/env_value", "nothing"),
        ("display-name-required", "body", "/display_name", "nothing"),
        ("docker-image-required", "body", "/docker_image", "nothing"),
    }


HINTS = {
    "quoted-integer": ({"exposed_port": "8080"}, "did you mean 8080 without the quotes?"),
    "number-for-text": ({"display_name": 5}, 'did you mean "5" in quotes?'),
    "upper-case": ({"service_slug": "Abc"}, 'did you mean "abc" in lower case?'),
    "trailing-newline": ({"service_slug": "abc\n"}, 'did you mean "abc", without the blanks'),
    "http": ({"external_url": "http://a.example"}, 'did you mean "https://a.example"?'),
}


@pytest.mark.parametrize(("changes", "hint"), HINTS.values(), ids=HINTS)
def test_a_common_mistake_gets_a_hint(send: Send, changes: dict[str, Any], hint: str) -> None:
    """`expected` ends with the value that was probably meant."""
    assert hint in send("POST", CREATE, HEADERS, create_body(**changes)).json()["violations"][0]["expected"]


def test_without_body_json_a_malformed_body_is_an_empty_object() -> None:
    """The rules of the empty object apply: a create lacks its properties."""
    with over_wsgi(create_app(disabled_rules={"body-json"})) as send:
        status, rules = read_problem(send("POST", CREATE, HEADERS, b'{"service_slug": '))
        assert (status, "service-slug-required" in rules) == (400, True)


def test_actual_values_are_short(send: Send) -> None:
    """A long value is cut, and neither its text nor a token is repeated."""
    token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c2VyLXJlZCJ9.Zml4dHVyZS1yZWQ"
    response = send(
        "POST", CREATE, HEADERS, create_body(display_name="n" * 5000, service_type=token, health_path=[token])
    )
    assert all(len(violation["actual"]) <= 90 for violation in response.json()["violations"])
    assert token.encode() not in response.body


# --- over a socket


@pytest.fixture(scope="module")
def port(closing: Any) -> int:
    """Return the port of a mock on a socket."""
    return closing(serving(create_app()))


def send_raw(port: int, request: bytes) -> bytes:
    """Send the bytes of a request, and return the bytes of the response."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def create_head(*lines: str, path: str = CREATE) -> bytes:
    """Return the head of a create."""
    return "\r\n".join(
        [f"POST {path} HTTP/1.1", "Host: x", "Connection: close", f"Authorization: Bearer {TOKEN}",
         "Content-Type: application/json", *lines, "", ""]
    ).encode("latin-1")  # fmt: skip


def encode_chunks(*parts: bytes) -> bytes:
    """Return a chunked body."""
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts, b""))


WIRE = {
    "chunked": (
        create_head("Transfer-Encoding: chunked") + encode_chunks(create_body(service_slug="chunked"), b""),
        201,
    ),
    "chunked-too-large": (
        create_head("Transfer-Encoding: chunked") + encode_chunks(*[b"a" * 65536] * 40),
        413,
    ),
    "chunked-badly": (create_head("Transfer-Encoding: chunked") + b"zz\r\n{}", 400),
    "length-is-no-number": (create_head("Content-Length: ten") + b"{}", 400),
    "length-is-negative": (create_head("Content-Length: -5") + b"{}", 400),
    "length-of-5000-digits": (create_head("Content-Length: " + "9" * 5000) + b"{}", 400),
    "shorter-than-its-length": (create_head("Content-Length: 100") + b'{"a":', 400),
    "no-length": (create_head(), 400),
    "odd-host": (create_head("Content-Length: 2").replace(b"Host: x", b"Host: [[/ \xff") + b"{}", 400),
    "form": (
        create_head("Content-Length: 2").replace(b"application/json", b"multipart/form-data") + b"{}",
        415,
    ),
}


@pytest.mark.parametrize(("request_bytes", "status"), WIRE.values(), ids=WIRE)
def test_an_odd_framing_gets_a_response(port: int, request_bytes: bytes, status: int) -> None:
    """The response is a problem document or an id, and the next request succeeds."""
    response = send_raw(port, request_bytes)
    first, _, content = response.partition(b"\r\n\r\n")
    assert int(first.split()[1]) == status
    assert json.loads(content)
    assert send_raw(port, create_head("Content-Length: 2") + b"{}").split()[1] == b"400"


def test_two_concurrent_creates_of_a_slug_give_one_service(port: int) -> None:
    """One create responds with 201 and the other with 409, every time."""
    for number in range(25):
        outcomes: list[bytes] = []
        content = create_body(service_slug=f"race-{number}")
        request_bytes = create_head(f"Content-Length: {len(content)}") + content
        threads = [
            threading.Thread(target=lambda: outcomes.append(send_raw(port, request_bytes).split()[1]))  # noqa: B023
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == [b"201", b"409"]


@pytest.fixture(scope="module")
def quiet_send() -> Iterator[Send]:
    """Yield a function that sends requests to a mock in process."""
    with over_wsgi(create_app()) as send:
        yield send


latin = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\x00"), max_size=30)
nearly = st.sampled_from(
    [b"{", b"}", b"[", b"]", b'"', b":", b",", b"\\u", b"d800", b"0", b"1e9", b"service_slug", b"null"]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["POST", "PUT", "GET", "HEAD", "OPTIONS", "TRACE", "X"]),
    path=st.sampled_from(
        [CREATE, SERVICE, "/api/v1/r/containers/x", "/_mock/services", "/_mock/services/1/status"]
    )
    | latin.map(lambda text: "/" + text),
    headers=st.dictionaries(
        st.sampled_from(
            ["Authorization", "X-Team-ID", "Content-Type", "Host", "Content-Length", "Origin", "Accept"]
        ),
        latin | st.sampled_from([*HEADERS.values(), "Bearer dk-red-1b6e20f8d4"]),
    ),
    content=st.binary(max_size=200) | st.lists(nearly, max_size=60).map(b"".join),
)
def test_no_request_causes_a_server_error(
    quiet_send: Send, method: str, path: str, headers: dict[str, str], content: bytes
) -> None:
    """A response is below 500, and a refusal is a problem document."""
    response = quiet_send(method, quote(path), HEADERS | headers, content)
    assert response.status < 500
    assert response.status < 400 or method == "HEAD" or read_problem(response)
