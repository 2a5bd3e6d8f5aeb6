"""The proxy in process: the violations that it finds in requests and responses."""

import base64
import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from mock_server import create_app
from mock_server.proxy.app import create_proxy
from mock_server.proxy.headers import REPORT_HEADER
from tests.support.clients import over_wsgi, serving
from tests.support.fixture_player import CALLERS, ROOT, Case, FixturePlayer, cases
from tests.support.proxy.in_process import (
    BODY,
    CREATE,
    HEADERS,
    ID,
    SERVICE,
    TOKENS,
    FixedUpstream,
    create,
    journal_violations,
    proxy_client,
    upstream_with,
)

# --- valid exchanges


def test_a_valid_exchange_has_no_violation() -> None:
    """A valid create with a valid response has an empty report."""
    with proxy_client(create_app()) as client:
        response = create(client)
        assert (response.status_code, response.headers[REPORT_HEADER]) == (201, "none")
        assert (client.get("/_mock/journal").json["count"], journal_violations(client)) == (1, set())


def test_a_refusal_of_a_valid_request_is_no_violation() -> None:
    """A 409 may depend on stored services, which the proxy does not know."""
    with proxy_client(create_app()) as client:
        responses = [create(client), create(client)]
    assert [(response.status_code, response.headers[REPORT_HEADER]) for response in responses] == [
        (201, "none"),
        (409, "none"),
    ]


@pytest.fixture(scope="module")
def proxied_mock() -> Iterator[Client]:
    """Yield a client of a proxy before a mock."""
    with proxy_client(create_app()) as client:
        yield client


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.id)
def test_the_fixtures_pass_through_the_proxy(proxied_mock: Client, case: Case) -> None:
    """Each case has the same outcome as without the proxy, which finds no violation in the responses."""
    with over_wsgi(proxied_mock.application) as send:
        assert FixturePlayer(send).judge(case) == ""
    entries = proxied_mock.delete("/_mock/journal") and proxied_mock.get("/_mock/journal").json["requests"]
    assert [v for entry in entries for v in entry["violations"] if v["in"] == "response"] == []


# --- requests


def test_a_violation_is_forwarded_and_reported() -> None:
    """The upstream refuses the request, and the header, the journal and the log name the rules."""
    lines: list[str] = []
    with proxy_client(create_app(), log=lines.append) as client:
        response = create(client, service_slug="Proxied", gpu_count=-2)
        assert response.json["violations"][0]["rule"] == "service-slug-pattern"
        assert response.headers[REPORT_HEADER] == (
            "service-slug-pattern;in=request;grade=documented, gpu-count-range;in=request;grade=assumed"
        )
        assert journal_violations(client) == {
            ("service-slug-pattern", "documented", "body"),
            ("gpu-count-range", "assumed", "body"),
        }
    assert lines[0].startswith(f"POST {CREATE} 400 service-slug-pattern,gpu-count-range(assumed) ")


REQUESTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "auth-required": (CREATE, {"headers": {"Content-Type": "application/json"}}, "documented"),
    "auth-bearer": (CREATE, {"headers": {**HEADERS, "Authorization": "Basic YTpi"}}, "documented"),
    "auth-agent": (CREATE, {"headers": {**HEADERS, "Authorization": "Bearer ak-1"}}, "provider"),
    "team-required-for-jwt": (
        CREATE,
        {"headers": {**HEADERS, "Authorization": "Bearer a.b.c"}},
        "documented",
    ),
    "team-uuid": (
        CREATE,
        {"headers": {**HEADERS, "Authorization": "Bearer a.b.c", "X-Team-ID": "red"}},
        "documented",
    ),
    "service-id-format": (f"{CREATE}/weather", {}, "documented"),
    "body-media-type": (CREATE, {"headers": {**HEADERS, "Content-Type": "text/plain"}}, "documented"),
    "body-json": (CREATE, {"data": b"{"}, "documented"),
    "body-keys": (CREATE, {"data": json.dumps(BODY)[:-1] + ', "x": 1, "x": 1}'}, "assumed"),
    "body-size": (CREATE, {"data": json.dumps({**BODY, "x": "a" * 2**20})}, "assumed"),
    "exposed-port-range": (CREATE, {"data": json.dumps({**BODY, "exposed_port": 0})}, "documented"),
}


@pytest.mark.parametrize(
    ("rule", "path", "options", "grade"), [(r, *c) for r, c in REQUESTS.items()], ids=REQUESTS
)
def test_a_request_is_checked_against_a_rule(
    rule: str, path: str, options: dict[str, Any], grade: str
) -> None:
    """An upstream that accepts a violating request breaks the same rule."""
    method = "PUT" if path != CREATE else "POST"
    status = 201 if method == "POST" else 200
    all_options = {"headers": HEADERS, "data": json.dumps(BODY), **options}
    with proxy_client(FixedUpstream(status)) as client:
        report = client.open(path, method=method, **all_options).headers[REPORT_HEADER].split(", ")
    assert f"{rule};in=request;grade={grade}" in report
    assert f"{rule};in=response;grade={grade}" in report


def test_an_assumed_violation_hides_no_other() -> None:
    """A body with a duplicate key is still checked, with the last value of the key."""
    raw_body = json.dumps(BODY)[:-1] + ', "exposed_port": 1, "exposed_port": 0}'
    with proxy_client(FixedUpstream()) as client:
        report = client.post(CREATE, data=raw_body, headers=HEADERS).headers[REPORT_HEADER]
    assert {item.partition(";")[0] for item in report.split(", ")} == {"body-keys", "exposed-port-range"}


def nest(levels: int) -> str:
    """Return nested lists as JSON."""
    return "[" * levels + "]" * levels


LEVELS = (101, 254, 256, 300, 600, 800, 900, 950, 1000, 5000)


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("escaped", ["a", "\\u0041"], ids=["plain", "escaped"])
def test_a_deep_request_is_forwarded_and_reported(levels: int, escaped: str) -> None:
    """A body that is nested deeper than the check reads breaks `body-depth`, and reaches the upstream."""
    raw_body = f'{json.dumps(BODY)[:-1]}, "x": "{escaped}", "y": {nest(levels)}}}'
    upstream = FixedUpstream()
    with proxy_client(upstream) as client:
        response = client.post(CREATE, data=raw_body, headers=HEADERS)
    assert (response.status_code, upstream.requests[0].data) == (201, raw_body.encode())
    assert response.headers[REPORT_HEADER] == (
        "body-depth;in=request;grade=assumed, body-depth;in=response;grade=assumed"
    )


def test_a_deep_request_hides_no_other_violation() -> None:
    """The upper levels of a deep body are still checked."""
    with proxy_client(FixedUpstream()) as client:
        raw_body = f'{{"service_slug": "proxied", "display_name": "d", "exposed_port": 0, "x": {nest(300)}}}'
        report = client.post(CREATE, data=raw_body, headers=HEADERS).headers[REPORT_HEADER]
    assert {item.partition(";")[0] for item in report.split(", ")} == {
        "body-depth",
        "docker-image-required",
        "exposed-port-range",
    }


@pytest.mark.parametrize("levels", LEVELS)
def test_a_deep_request_without_the_rule_of_depth_is_forwarded(levels: int) -> None:
    """Without `body-depth` a deep body has no violation."""
    raw_body = f'{json.dumps(BODY)[:-1]}, "x": "\\u0041", "y": {nest(levels)}}}'
    with proxy_client(FixedUpstream(), disabled_rules={"body-depth"}, enforce=True, strict=True) as client:
        response = client.post(CREATE, data=raw_body, headers=HEADERS)
    assert (response.status_code, response.headers[REPORT_HEADER]) == (201, "none")


def test_callers_are_checked_with_a_callers_file(tmp_path: Path) -> None:
    """Unknown tokens and teams of others are found only with a callers file."""
    path = tmp_path / "callers.yaml"
    path.write_text(json.dumps(CALLERS))
    unknown = {**HEADERS, "Authorization": "Bearer sk-made-up"}
    jwt = {**HEADERS, "Authorization": f"Bearer {TOKENS['jwt-red']}", "X-Team-ID": CALLERS["teams"]["blue"]}
    reports = []
    for callers in (None, path):
        with proxy_client(FixedUpstream(403, b"{}"), callers=callers) as client:
            responses = [client.post(CREATE, json=BODY, headers=headers) for headers in (unknown, jwt)]
            reports.append([response.headers[REPORT_HEADER] for response in responses])
            names = [entry["caller"] for entry in client.get("/_mock/journal").json["requests"]]
    expected = [f"{rule};in=request;grade=assumed" for rule in ("auth-known", "team-member")]
    assert reports == [["none", "none"], expected]
    assert names == ["any-sk", "jwt-red"]


def test_a_disabled_rule_is_not_checked() -> None:
    """Neither requests nor responses are checked against a disabled rule."""
    off = {"exposed-port-range", "created"}
    with proxy_client(FixedUpstream(body=b"{}"), disabled_rules=off) as client:
        assert create(client, exposed_port=0).headers[REPORT_HEADER] == "none"


def test_another_contract_is_checked(tmp_path: Path) -> None:
    """With `spec`, requests are checked against that document."""
    document = (ROOT / "spec/openapi.yaml").read_text().replace("maximum: 65535", "maximum: 9000", 1)
    (tmp_path / "openapi.yaml").write_text(document)
    with proxy_client(create_app(), spec=tmp_path / "openapi.yaml") as client:
        reports = [create(client, exposed_port=port).headers[REPORT_HEADER] for port in (9001, 9000)]
    template = "exposed-port-range;in={};grade=documented"
    assert reports == [f"{template.format('request')}, {template.format('response')}", "none"]


def test_other_paths_and_methods_are_not_checked() -> None:
    """A request outside the contract has no report."""
    with proxy_client(create_app()) as client:
        responses = [client.get(CREATE), client.post("/api/v1/things", data=b"{"), client.get("/")]
    assert [(response.status_code, REPORT_HEADER in response.headers) for response in responses] == [
        (405, False),
        (404, False),
        (404, False),
    ]


PATHS = ["/api/v1/%63ontainers", "/api/%761/containers", "/deep/base/containers"]


@pytest.mark.parametrize("path", PATHS)
def test_every_spelling_of_a_path_is_checked(path: str) -> None:
    """A path that the upstream may read as that of an operation is checked."""
    upstream = FixedUpstream()
    with serving(upstream) as port:
        client = Client(create_proxy(f"http://127.0.0.1:{port}/deep/base"))
        response = client.open(path, method="POST", data=b"{", headers=HEADERS)
    assert "body-json;in=request" in response.headers[REPORT_HEADER]


# --- responses


RESPONSES: dict[str, tuple[str, FixedUpstream, str]] = {
    "no-id": ("POST", upstream_with(value={"name": 1}), "created;in=response;grade=documented"),
    "no-uuid": ("POST", upstream_with(value={"id": "seven"}), "created;in=response;grade=documented"),
    "no-object": ("POST", upstream_with(value=[ID]), "created;in=response;grade=documented"),
    "no-json": ("POST", FixedUpstream(body=b"<html>"), "created;in=response;grade=documented"),
    "empty": ("POST", FixedUpstream(body=b""), "created;in=response;grade=documented"),
    "another-id": ("PUT", upstream_with(200, {"id": ID[:-1] + "6"}), "updated;in=response;grade=documented"),
    "id-in-upper-case": ("PUT", upstream_with(200, {"id": ID.upper()}), "none"),
    "more-than-the-id": ("POST", upstream_with(value={"id": ID, "more": [1]}), "none"),
    "media-type": (
        "POST",
        upstream_with(media_type="text/html"),
        "response-media-type;in=response;grade=assumed",
    ),
    "no-media-type": ("POST", upstream_with(media_type=""), "response-media-type;in=response;grade=assumed"),
    "charset": ("POST", upstream_with(media_type="application/json; charset=utf-8"), "none"),
    "another-success": ("POST", upstream_with(200), "response-status;in=response;grade=assumed"),
    "another-refusal": ("POST", upstream_with(422), "response-status;in=response;grade=assumed"),
    "error-of-any-form": ("POST", FixedUpstream(400, b"no", {"Content-Type": "text/plain"}), "none"),
    "redirect": ("POST", upstream_with(302), "response-status;in=response;grade=assumed"),
    "server-error": ("POST", upstream_with(500), "response-server-error;in=response;grade=documented"),
    "busy": ("POST", upstream_with(503), "response-status;in=response;grade=assumed"),
}


@pytest.mark.parametrize(("method", "upstream", "report"), RESPONSES.values(), ids=RESPONSES)
def test_a_response_is_checked(method: str, upstream: FixedUpstream, report: str) -> None:
    """Status, media type and body are checked, and the response is forwarded unchanged."""
    path = CREATE if method == "POST" else SERVICE
    with proxy_client(upstream) as client:
        response = client.open(path, method=method, json=BODY, headers=HEADERS)
        assert (response.headers[REPORT_HEADER], response.status_code, response.data) == (
            report,
            upstream.status,
            upstream.body,
        )
        locations = {("response" if report != "none" else "")} - {""}
        assert {location for _, _, location in journal_violations(client)} == locations


UNREADABLE = {
    "half-a-pair-as-id": (b'{"id": "\\ud800"}', "created;in=response;grade=documented"),
    "half-a-pair-as-text": (b'"\\udfff"', "created;in=response;grade=documented"),
    "half-a-pair-beside": (b'{"id": "%s", "\\ud800": ["\\ud800"]}' % ID.encode(), "none"),
    **{
        f"{levels}-levels": (nest(levels).encode(), "created;in=response;grade=documented")
        for levels in (254, 256, 300, 600, 800)
    },
    "300-levels-beside": (f'{{"id": "{ID}", "x": {nest(300)}}}'.encode(), "none"),
}


@pytest.mark.parametrize(("body", "report"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_response_that_no_validator_reads_is_forwarded(body: bytes, report: str) -> None:
    """Deep nesting and half a surrogate pair are no error of the proxy; the rest of the body is checked."""
    with proxy_client(FixedUpstream(body=body)) as client:
        response = create(client)
        assert (response.status_code, response.data, response.headers[REPORT_HEADER]) == (201, body, report)
        assert client.get("/_mock/journal").json["count"] == 1


def test_a_response_too_deep_to_be_parsed_is_assumed_invalid_at_most() -> None:
    """A valid id may stand beside the deep value, so that no documented rule is reported."""
    body = f'{{"id": "{ID}", "x": {nest(30_000)}}}'.encode()
    with proxy_client(FixedUpstream(body=body), enforce=True) as client:
        response = create(client)
    assert (response.status_code, response.data) == (201, body)
    assert response.headers[REPORT_HEADER] in {"none", "created;in=response;grade=assumed"}


def test_an_unreadable_response_is_held_back_with_enforce() -> None:
    """Half a surrogate pair is no id."""
    with proxy_client(FixedUpstream(body=b'{"id": "\\ud800"}'), enforce=True) as client:
        response = create(client)
    assert (response.status_code, [v["rule"] for v in response.json["violations"]]) == (502, ["created"])


TEAM = {400: False, 401: False, 404: True, 422: True}


@pytest.mark.parametrize(("status", "wrong"), TEAM.items())
def test_a_documented_status_is_checked(status: int, wrong: bool) -> None:
    """A JWT without a team gets a 400, unless its token is refused first."""
    headers = {**HEADERS, "Authorization": "Bearer a.b.c"}
    with proxy_client(upstream_with(status)) as client:
        report = client.post(CREATE, json=BODY, headers=headers).headers[REPORT_HEADER]
    assert ("team-required-for-jwt;in=response;grade=documented" in report) == wrong


def test_gzip_is_decoded_for_the_check_only() -> None:
    """A request and a response in gzip are checked, and forwarded unchanged."""
    response_body = gzip.compress(b'{"id": 7}')
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    upstream = FixedUpstream(body=response_body, headers=headers)
    request_body = gzip.compress(json.dumps({**BODY, "exposed_port": 0}).encode())
    with proxy_client(upstream) as client:
        response = client.post(CREATE, data=request_body, headers={**HEADERS, "Content-Encoding": "gzip"})
    assert (upstream.requests[0].data, response.data) == (request_body, response_body)
    assert {item.partition(";grade")[0] for item in response.headers[REPORT_HEADER].split(", ")} == {
        "exposed-port-range;in=request",
        "exposed-port-range;in=response",
        "created;in=response",
    }


def test_a_report_of_the_upstream_is_replaced() -> None:
    """A report header of the upstream is not forwarded."""
    headers = {"Content-Type": "application/json", REPORT_HEADER: "created"}
    with proxy_client(FixedUpstream(headers=headers)) as client:
        assert create(client).headers.getlist(REPORT_HEADER) == ["none"]


def test_a_large_request_breaks_only_the_size_rule() -> None:
    """A body beyond the limit, encoded or not, is not checked further."""
    noise = random.Random(1).randbytes(2**20)
    body = gzip.compress(json.dumps({**BODY, "x": base64.b64encode(noise).decode()}).encode())
    with proxy_client(FixedUpstream()) as client:
        report = client.post(CREATE, data=body, headers={**HEADERS, "Content-Encoding": "gzip"}).headers[
            REPORT_HEADER
        ]
    assert report == "body-size;in=request;grade=assumed, body-size;in=response;grade=assumed"


def test_an_unknown_encoding_is_not_checked() -> None:
    """A body that cannot be decoded has no violation."""
    upstream = FixedUpstream(
        headers={"Content-Type": "application/json", "Content-Encoding": "own"}, body=b"\x01"
    )
    with proxy_client(upstream) as client:
        response = client.post(CREATE, data=b"\x02", headers={**HEADERS, "Content-Encoding": "own"})
    assert response.headers[REPORT_HEADER] == "none"


def test_a_long_response_is_checked_after_it_is_sent() -> None:
    """Beyond 64 KiB the violations are only in the journal, and nothing is refused."""
    with proxy_client(upstream_with(value={"name": "a" * 100_000}), enforce=True) as client:
        response = create(client)
        assert (response.status_code, len(response.data), response.headers[REPORT_HEADER]) == (
            201,
            100_012,
            "none",
        )
        assert journal_violations(client) == {("created", "documented", "response")}


def test_a_very_long_response_is_not_checked() -> None:
    """A response beyond 1 MiB is not checked."""
    with proxy_client(upstream_with(value={"name": "a" * 2**20})) as client:
        assert (create(client).status_code, journal_violations(client)) == (201, set())
