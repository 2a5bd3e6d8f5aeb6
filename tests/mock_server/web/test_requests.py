"""What is odd on the wire becomes a problem document, in process and over a socket."""

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
from tests.support.fixture_player import Reply, Send

TOKEN = "sk-red-5f0c7c1e9a"
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
CREATE = "/api/v1/containers"
SERVICE = f"{CREATE}/0192f0c1-9a8b-7c6d-9e5f-404142434445"


@pytest.fixture(scope="module", params=["wsgi", "socket"])
def send(request: pytest.FixtureRequest) -> Send:
    """A mock to send to."""
    opened = over_wsgi if request.param == "wsgi" else over_socket
    return request.getfixturevalue("closing")(opened())


def problem(reply: Reply) -> tuple[int, list[str]]:
    """The status of a problem document and the rules that it names; it must be one."""
    document = reply.json()
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert (document["type"], document["status"]) == ("about:blank", reply.status)
    assert document["title"]
    assert document["detail"]
    return reply.status, [violation["rule"] for violation in document.get("violations", ())]


def body(**changes: Any) -> bytes:
    """A valid create with changes."""
    return json.dumps({"service_slug": "wire", "display_name": "d", "docker_image": "n", **changes}).encode()


TEXT = '{"service_slug": "wire", "display_name": "d", "docker_image": "n", "x": %s}'
BODIES: dict[str, tuple[bytes, tuple[int, list[str]]]] = {
    "empty": (b"", (400, ["body-json"])),
    "not-json": (b"hello", (400, ["body-json"])),
    "nan": ((TEXT % "NaN").encode(), (400, ["body-json"])),
    "infinity": ((TEXT % "-Infinity").encode(), (400, ["body-json"])),
    "integer-of-5000-digits": ((TEXT % ("9" * 5000)).encode(), (400, ["body-json"])),
    "byte-order-mark": (b"\xef\xbb\xbf" + body(), (400, ["body-json"])),
    "utf-16": (body().decode().encode("utf-16"), (400, ["body-json"])),
    "latin-1": (TEXT.replace('"d"', '"\xe9"').replace("%s", "1").encode("latin-1"), (400, ["body-json"])),
    "raw-nul": (b'{"a": "\x00"}', (400, ["body-json"])),
    "depth-100000": (b"[" * 100_000, (400, ["body-depth"])),
    "depth-100000-closed": (b"[" * 100_000 + b"]" * 100_000, (400, ["body-depth"])),
    "depth-100000-objects": (b'{"a":' * 100_000, (400, ["body-depth"])),
    "depth-101": ((TEXT % ("[" * 100 + "]" * 100)).encode(), (400, ["body-depth"])),
    "lone-surrogate": (body(display_name="\ud800"), (400, ["body-text"])),
    "lone-surrogate-key": (body(**{"\udfff": 1}), (400, ["body-text"])),
    "escaped-nul": (body(display_name="a\x00"), (400, ["body-text"])),
    "escaped-nul-deep": (body(x=[{"y": ["\x00"]}]), (400, ["body-text"])),
    "same-key-twice": (b'{"a": 1, "a": 2}', (400, ["body-keys"])),
    "same-key-twice-deep": ((TEXT % '[{"a": 1, "a": 1}]').encode(), (400, ["body-keys"])),
    "same-key-twice-once-escaped": (rb'{"a": 1, "\u0061": 2}', (400, ["body-keys"])),
    "same-key-twice-and-an-escaped-colon": (rb'{"a": 1, "a": 2, "b": "\u003A"}', (400, ["body-keys"])),
    "same-key-twice-and-a-large-integer": (b'{"a": 1, "a": 18446744073709551616}', (400, ["body-keys"])),
    "too-large": (body(x="a" * 2_000_000), (413, ["body-size"])),
    "1e400": (body()[:-1] + b', "exposed_port": 1e400}', (400, ["exposed-port-type"])),
    "integer-of-4000-digits": (
        body()[:-1] + b', "exposed_port": ' + b"9" * 4000 + b"}",
        (400, ["exposed-port-range"]),
    ),
    "true-for-an-integer": (body(exposed_port=True), (400, ["exposed-port-type"])),
    "slug-with-newline": (body(service_slug="abc\n"), (400, ["service-slug-pattern"])),
    "slug-of-other-digits": (body(service_slug="\u0661\u0662\u0663"), (400, ["service-slug-pattern"])),
    "256-emoji": (body(display_name="\U0001f600" * 256), (400, ["display-name-length"])),
    "brackets-in-a-string": (body(display_name="[" * 150, exposed_port=0), (400, ["exposed-port-range"])),
}


@pytest.mark.parametrize(("raw", "expected"), BODIES.values(), ids=BODIES)
def test_an_odd_body_is_refused_by_its_rule(send: Send, raw: bytes, expected: tuple[int, list[str]]) -> None:
    """The answer is a problem document of that status that names that rule."""
    assert problem(send("POST", CREATE, HEADERS, raw)) == expected


ACCEPTED = {
    "8080.0": body(service_slug="accepted-1", exposed_port=8080.0),
    "8.08e3": body(service_slug="accepted-2")[:-1] + b', "exposed_port": 8.08e3}',
    "255-emoji": body(service_slug="accepted-3", display_name="\U0001f600" * 255),
    "depth-100": body(service_slug="accepted-4")[:-1] + b', "x": ' + b"[" * 99 + b"]" * 99 + b"}",
    "surrogate-pair": body(service_slug="accepted-5", display_name="\U0001f600"),
    "1-mebibyte": body(service_slug="accepted-6", x="a" * (1024 * 1024 - 91)),
    "large-integer": body(service_slug="accepted-8")[:-1] + b', "x": 18446744073709551616}',
    "escaped-colon": body(service_slug="accepted-9")[:-1] + rb', "x\u003a": "\u003a:"}',
    "backslash-u-in-text": body(service_slug="accepted-7", display_name="\\u0000 \\ud800"),
}


@pytest.mark.parametrize("raw", ACCEPTED.values(), ids=ACCEPTED)
def test_a_near_miss_is_accepted(send: Send, raw: bytes) -> None:
    """What is just within the rules is created."""
    assert send("POST", CREATE, HEADERS, raw).status == 201


def objects(draw: Any, depth: int = 0) -> tuple[str, bool]:
    """The text of an object, and whether a key is there twice in it or below."""
    keys = draw(st.lists(st.sampled_from(["a", ":", "\\", '"', "\U0001f600", "{", "b:"]), max_size=3))
    members, twice = [], len(set(keys)) < len(keys)
    for key in keys:
        value = json.dumps(key)
        if depth < 2 and draw(st.booleans()):
            value, within = objects(draw, depth + 1)
            twice |= within
        members.append(f"{json.dumps(key, ensure_ascii=draw(st.booleans()))}: [{value}]")
    return "{" + ",".join(members) + "}", twice


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_key_is_there_once(drawn: st.DataObject) -> None:
    """A body is refused for its keys exactly if an object of it has a key twice, however it is written."""
    text, twice = objects(drawn.draw)
    with over_wsgi() as send:
        reply = send("PUT", SERVICE, HEADERS, text.encode())
    assert problem(reply) == ((400, ["body-keys"]) if twice else (404, ["service-exists"]))


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
    """Another type or charset is refused with 415; JSON in any spelling gets to the unknown service."""
    headers = {"Authorization": HEADERS["Authorization"]}
    headers |= {} if media_type is None else {"Content-Type": media_type}
    rule = {415: "body-media-type", 404: "service-exists"}[status]
    assert problem(send("PUT", SERVICE, headers, b"{}")) == (status, [rule])


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
    """The answer is a problem document, with Allow where another method is right."""
    reply = send(method, path, HEADERS, b"" if method == "HEAD" else b"{}")
    assert reply.status == status
    assert (status == 405) == ("Allow" in reply.headers)
    assert method == "HEAD" or problem(reply)


def test_allow_names_the_methods_of_the_path(send: Send) -> None:
    """Allow lists what the contract has at that path."""
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
def test_an_odd_header_is_no_error(send: Send, headers: dict[str, str], status: int) -> None:
    """The answer is the usual one, as a problem document."""
    assert problem(send("PUT", SERVICE, HEADERS | headers, b"{}"))[0] == status


def test_a_refusal_of_the_caller_says_how_to_authenticate(send: Send) -> None:
    """A 401 carries WWW-Authenticate."""
    assert send("POST", CREATE, {}, b"{}").headers["WWW-Authenticate"] == "Bearer"


def test_all_violations_of_a_stage_are_told_at_once(send: Send) -> None:
    """Each broken rule has its grade, place, what was seen and what would be right."""
    raw = b'{"service_slug": "Ab\\n", "exposed_port": "80", "env_config": [{"env_name": 1}]}'
    told = send("POST", CREATE, HEADERS, raw).json()["violations"]
    assert {(v["rule"], v["in"], v["pointer"], v["actual"]) for v in told} == {
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
def test_a_common_mistake_is_told_what_was_meant(send: Send, changes: dict[str, Any], hint: str) -> None:
    """`wanted` ends with what was probably meant."""
    assert hint in send("POST", CREATE, HEADERS, body(**changes)).json()["violations"][0]["expected"]


UNREFUSED: dict[str, tuple[bytes, list[str]]] = {
    "first-value": (body(exposed_port=0) + b" x", ["exposed-port-range"]),
    "keys-twice": (body()[:-1] + b', "a": 1, "a": 2} x', ["body-keys"]),
    "half-character": (body(display_name="\ud800") + b" x", ["body-text"]),
}


def test_a_mock_without_body_json_reads_a_malformed_body_as_an_empty_object() -> None:
    """The rules of the empty object decide: a create lacks its properties, an update changes nothing."""
    with over_wsgi(create_app(disabled_rules={"body-json"})) as send:
        status, rules = problem(send("POST", CREATE, HEADERS, b'{"service_slug": '))
        assert (status, "service-slug-required" in rules) == (400, True)


def test_what_was_seen_is_short(send: Send) -> None:
    """A long value is cut, and neither its text nor a token is repeated."""
    token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c2VyLXJlZCJ9.Zml4dHVyZS1yZWQ"
    reply = send(
        "POST", CREATE, HEADERS, body(display_name="n" * 5000, service_type=token, health_path=[token])
    )
    assert all(len(violation["actual"]) <= 90 for violation in reply.json()["violations"])
    assert token.encode() not in reply.body


# --- over a socket only


@pytest.fixture(scope="module")
def port(closing: Any) -> int:
    """The port of a mock on a socket."""
    return closing(serving(create_app()))


def raw(port: int, request: bytes) -> bytes:
    """What comes back for the bytes of a request."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def head(*lines: str, path: str = CREATE) -> bytes:
    """The head of a create."""
    return "\r\n".join(
        [f"POST {path} HTTP/1.1", "Host: x", "Connection: close", f"Authorization: Bearer {TOKEN}",
         "Content-Type: application/json", *lines, "", ""]
    ).encode("latin-1")  # fmt: skip


def chunks(*parts: bytes) -> bytes:
    """A chunked body."""
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts, b""))


WIRE = {
    "chunked": (head("Transfer-Encoding: chunked") + chunks(body(service_slug="chunked"), b""), 201),
    "chunked-too-large": (head("Transfer-Encoding: chunked") + chunks(*[b"a" * 65536] * 40), 413),
    "chunked-badly": (head("Transfer-Encoding: chunked") + b"zz\r\n{}", 400),
    "length-is-no-number": (head("Content-Length: ten") + b"{}", 400),
    "length-is-negative": (head("Content-Length: -5") + b"{}", 400),
    "length-of-5000-digits": (head("Content-Length: " + "9" * 5000) + b"{}", 400),
    "shorter-than-its-length": (head("Content-Length: 100") + b'{"a":', 400),
    "no-length": (head(), 400),
    "odd-host": (head("Content-Length: 2").replace(b"Host: x", b"Host: [[/ \xff") + b"{}", 400),
    "form": (head("Content-Length: 2").replace(b"application/json", b"multipart/form-data") + b"{}", 415),
}


@pytest.mark.parametrize(("request_bytes", "status"), WIRE.values(), ids=WIRE)
def test_an_odd_framing_is_answered(port: int, request_bytes: bytes, status: int) -> None:
    """The answer is a problem document (or the created id), and the next request is served."""
    answered = raw(port, request_bytes)
    first, _, content = answered.partition(b"\r\n\r\n")
    assert int(first.split()[1]) == status
    assert json.loads(content)
    assert raw(port, head("Content-Length: 2") + b"{}").split()[1] == b"400"


def test_two_concurrent_creates_of_a_slug_give_one_service(port: int) -> None:
    """One is answered 201 and the other 409, every time."""
    for number in range(25):
        outcomes: list[bytes] = []
        content = body(service_slug=f"race-{number}")
        request_bytes = head(f"Content-Length: {len(content)}") + content
        threads = [
            threading.Thread(target=lambda: outcomes.append(raw(port, request_bytes).split()[1]))  # noqa: B023
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == [b"201", b"409"]


@pytest.fixture(scope="module")
def quiet_send() -> Iterator[Send]:
    """A mock for many requests."""
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
def test_nothing_makes_the_mock_fail(
    quiet_send: Send, method: str, path: str, headers: dict[str, str], content: bytes
) -> None:
    """Whatever is sent, the answer is below 500 and, where it is a refusal, a problem document."""
    reply = quiet_send(method, quote(path), HEADERS | headers, content)
    assert reply.status < 500
    assert reply.status < 400 or method == "HEAD" or problem(reply)
