"""The proxy in process, before an upstream on a port: what it finds in calls and answers."""

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
from tests.support.fixture_player import CALLERS, ROOT, Case, Play, cases
from tests.support.proxy.in_process import (
    BODY,
    CREATE,
    HEADERS,
    ID,
    SERVICE,
    TOKENS,
    Upstream,
    create,
    found,
    proxied,
    reply,
)

# --- what is right


def test_what_keeps_the_contract_is_reported_as_such() -> None:
    """A valid create that is answered as it must be has a report without a violation."""
    with proxied(create_app()) as client:
        answer = create(client)
        assert (answer.status_code, answer.headers[REPORT_HEADER]) == (201, "none")
        assert (client.get("/_mock/journal").json["count"], found(client)) == (1, set())


def test_a_refusal_of_a_valid_call_is_no_violation() -> None:
    """What is stored may be the reason for a 409, and it is the upstream's own affair."""
    with proxied(create_app()) as client:
        answers = [create(client), create(client)]
    assert [(a.status_code, a.headers[REPORT_HEADER]) for a in answers] == [(201, "none"), (409, "none")]


@pytest.fixture(scope="module")
def mocked() -> Iterator[Client]:
    """A proxy before a mock."""
    with proxied(create_app()) as client:
        yield client


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.id)
def test_the_fixtures_pass_through(mocked: Client, case: Case) -> None:
    """Each case has the outcome that it has without the proxy, which finds nothing wrong in the answers."""
    with over_wsgi(mocked.application) as send:
        assert Play(send).judge(case) == ""
    entries = mocked.delete("/_mock/journal") and mocked.get("/_mock/journal").json["requests"]
    assert [v for entry in entries for v in entry["violations"] if v["in"] == "response"] == []


# --- calls


def test_a_call_that_breaks_a_rule_goes_on_and_is_reported() -> None:
    """The upstream refuses it in its own words, and the header, the journal and the log name the rules."""
    lines: list[str] = []
    with proxied(create_app(), log=lines.append) as client:
        answer = create(client, service_slug="Proxied", gpu_count=-2)
        assert answer.json["violations"][0]["rule"] == "service-slug-pattern"
        assert answer.headers[REPORT_HEADER] == (
            "service-slug-pattern;in=request;grade=documented, gpu-count-range;in=request;grade=assumed"
        )
        assert found(client) == {
            ("service-slug-pattern", "documented", "body"),
            ("gpu-count-range", "assumed", "body"),
        }
    assert lines[0].startswith(f"POST {CREATE} 400 service-slug-pattern,gpu-count-range(assumed) ")


CALLS: dict[str, tuple[str, dict[str, Any], str]] = {
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


@pytest.mark.parametrize(("rule", "path", "sent", "grade"), [(r, *c) for r, c in CALLS.items()], ids=CALLS)
def test_a_call_is_held_to_a_rule(rule: str, path: str, sent: dict[str, Any], grade: str) -> None:
    """Each stage that needs no state is checked; an upstream that accepts the call does not enforce the rule."""
    method = "PUT" if path != CREATE else "POST"
    status = 201 if method == "POST" else 200
    given = {"headers": HEADERS, "data": json.dumps(BODY), **sent}
    with proxied(Upstream(status)) as client:
        report = client.open(path, method=method, **given).headers[REPORT_HEADER].split(", ")
    assert f"{rule};in=request;grade={grade}" in report
    assert f"{rule};in=response;grade={grade}" in report


def test_an_assumed_violation_hides_no_other() -> None:
    """A body with a key twice is read all the same, by the last of them."""
    raw = json.dumps(BODY)[:-1] + ', "exposed_port": 1, "exposed_port": 0}'
    with proxied(Upstream()) as client:
        report = client.post(CREATE, data=raw, headers=HEADERS).headers[REPORT_HEADER]
    assert {item.partition(";")[0] for item in report.split(", ")} == {"body-keys", "exposed-port-range"}


def test_who_calls_is_checked_with_a_callers_file(tmp_path: Path) -> None:
    """A token that nobody was given, and a team that the caller is not in, are seen only by who knows them."""
    path = tmp_path / "callers.yaml"
    path.write_text(json.dumps(CALLERS))
    strange = {**HEADERS, "Authorization": "Bearer sk-made-up"}
    jwt = {**HEADERS, "Authorization": f"Bearer {TOKENS['jwt-red']}", "X-Team-ID": CALLERS["teams"]["blue"]}
    reports = []
    for callers in (None, path):
        with proxied(Upstream(403, b"{}"), callers=callers) as client:
            sent = [client.post(CREATE, json=BODY, headers=headers) for headers in (strange, jwt)]
            reports.append([answer.headers[REPORT_HEADER] for answer in sent])
            known = [entry["caller"] for entry in client.get("/_mock/journal").json["requests"]]
    told = [f"{rule};in=request;grade=assumed" for rule in ("auth-known", "team-member")]
    assert reports == [["none", "none"], told]
    assert known == ["any-sk", "jwt-red"]


def test_a_rule_can_be_left_out() -> None:
    """With `without` nobody asks for it, neither of calls nor of answers."""
    off = {"exposed-port-range", "created"}
    with proxied(Upstream(body=b"{}"), disabled_rules=off) as client:
        assert create(client, exposed_port=0).headers[REPORT_HEADER] == "none"


def test_a_contract_of_ones_own_is_checked(tmp_path: Path) -> None:
    """With `spec` a call is held to what that document says."""
    document = (ROOT / "spec/openapi.yaml").read_text().replace("maximum: 65535", "maximum: 9000", 1)
    (tmp_path / "openapi.yaml").write_text(document)
    with proxied(create_app(), spec=tmp_path / "openapi.yaml") as client:
        reports = [create(client, exposed_port=port).headers[REPORT_HEADER] for port in (9001, 9000)]
    told = "exposed-port-range;in={};grade=documented"
    assert reports == [f"{told.format('request')}, {told.format('response')}", "none"]


def test_what_the_contract_does_not_have_is_not_checked() -> None:
    """Another path or method passes without a report."""
    with proxied(create_app()) as client:
        answers = [client.get(CREATE), client.post("/api/v1/things", data=b"{"), client.get("/")]
    assert [(answer.status_code, REPORT_HEADER in answer.headers) for answer in answers] == [
        (405, False),
        (404, False),
        (404, False),
    ]


PATHS = ["/api/v1/%63ontainers", "/api/%761/containers", "/deep/base/containers"]


@pytest.mark.parametrize("path", PATHS)
def test_no_spelling_of_a_path_gets_past_the_check(path: str) -> None:
    """What the upstream may read as the path of an operation is checked as such."""
    upstream = Upstream()
    with serving(upstream) as port:
        client = Client(create_proxy(f"http://127.0.0.1:{port}/deep/base"))
        answer = client.open(path, method="POST", data=b"{", headers=HEADERS)
    assert "body-json;in=request" in answer.headers[REPORT_HEADER]


# --- answers


ANSWERS: dict[str, tuple[str, Upstream, str]] = {
    "no-id": ("POST", reply(value={"name": 1}), "created;in=response;grade=documented"),
    "no-uuid": ("POST", reply(value={"id": "seven"}), "created;in=response;grade=documented"),
    "no-object": ("POST", reply(value=[ID]), "created;in=response;grade=documented"),
    "no-json": ("POST", Upstream(body=b"<html>"), "created;in=response;grade=documented"),
    "empty": ("POST", Upstream(body=b""), "created;in=response;grade=documented"),
    "another-id": ("PUT", reply(200, {"id": ID[:-1] + "6"}), "updated;in=response;grade=documented"),
    "id-in-upper-case": ("PUT", reply(200, {"id": ID.upper()}), "none"),
    "more-than-the-id": ("POST", reply(value={"id": ID, "more": [1]}), "none"),
    "media-type": ("POST", reply(media_type="text/html"), "response-media-type;in=response;grade=assumed"),
    "no-media-type": ("POST", reply(media_type=""), "response-media-type;in=response;grade=assumed"),
    "charset": ("POST", reply(media_type="application/json; charset=utf-8"), "none"),
    "another-success": ("POST", reply(200), "response-status;in=response;grade=assumed"),
    "another-refusal": ("POST", reply(422), "response-status;in=response;grade=assumed"),
    "error-of-any-form": ("POST", Upstream(400, b"no", {"Content-Type": "text/plain"}), "none"),
    "redirect": ("POST", reply(302), "response-status;in=response;grade=assumed"),
    "server-error": ("POST", reply(500), "response-server-error;in=response;grade=documented"),
    "busy": ("POST", reply(503), "response-status;in=response;grade=assumed"),
}


@pytest.mark.parametrize(("method", "upstream", "report"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_held_to_the_contract(method: str, upstream: Upstream, report: str) -> None:
    """Status, media type and body are judged, each by the grade that it has; the answer passes as it is."""
    path = CREATE if method == "POST" else SERVICE
    with proxied(upstream) as client:
        answer = client.open(path, method=method, json=BODY, headers=HEADERS)
        assert (answer.headers[REPORT_HEADER], answer.status_code, answer.data) == (
            report,
            upstream.status,
            upstream.body,
        )
        places = {("response" if report != "none" else "")} - {""}
        assert {place for _, _, place in found(client)} == places


TEAM = {400: False, 401: False, 404: True, 422: True}


@pytest.mark.parametrize(("status", "wrong"), TEAM.items())
def test_a_documented_status_is_asked_for(status: int, wrong: bool) -> None:
    """A JWT without a team is answered 400, unless its token is the reason for another refusal."""
    headers = {**HEADERS, "Authorization": "Bearer a.b.c"}
    with proxied(reply(status)) as client:
        report = client.post(CREATE, json=BODY, headers=headers).headers[REPORT_HEADER]
    assert ("team-required-for-jwt;in=response;grade=documented" in report) == wrong


def test_the_check_reads_a_copy_without_its_encoding() -> None:
    """A call and an answer in gzip are checked, and pass as they are."""
    packed = gzip.compress(b'{"id": 7}')
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    upstream = Upstream(body=packed, headers=headers)
    sent = gzip.compress(json.dumps({**BODY, "exposed_port": 0}).encode())
    with proxied(upstream) as client:
        answer = client.post(CREATE, data=sent, headers={**HEADERS, "Content-Encoding": "gzip"})
    assert (upstream.received[0].data, answer.data) == (sent, packed)
    assert {item.partition(";grade")[0] for item in answer.headers[REPORT_HEADER].split(", ")} == {
        "exposed-port-range;in=request",
        "exposed-port-range;in=response",
        "created;in=response",
    }


def test_the_report_is_the_proxys_own() -> None:
    """What an upstream calls its report is no report of ours."""
    headers = {"Content-Type": "application/json", REPORT_HEADER: "created"}
    with proxied(Upstream(headers=headers)) as client:
        assert create(client).headers.getlist(REPORT_HEADER) == ["none"]


def test_a_call_that_is_too_large_is_told_to_be_that_alone() -> None:
    """Of what is beyond the limit, encoded or not, nothing else is said."""
    noise = random.Random(1).randbytes(2**20)
    sent = gzip.compress(json.dumps({**BODY, "x": base64.b64encode(noise).decode()}).encode())
    with proxied(Upstream()) as client:
        report = client.post(CREATE, data=sent, headers={**HEADERS, "Content-Encoding": "gzip"}).headers[
            REPORT_HEADER
        ]
    assert report == "body-size;in=request;grade=assumed, body-size;in=response;grade=assumed"


def test_what_is_encoded_in_an_unknown_way_is_not_judged() -> None:
    """A body that cannot be read proves nothing."""
    upstream = Upstream(headers={"Content-Type": "application/json", "Content-Encoding": "own"}, body=b"\x01")
    with proxied(upstream) as client:
        answer = client.post(CREATE, data=b"\x02", headers={**HEADERS, "Content-Encoding": "own"})
    assert answer.headers[REPORT_HEADER] == "none"


def test_a_long_answer_is_judged_when_it_has_passed() -> None:
    """After 64 KiB the header has gone: what its body breaks is in the journal, and nothing can be held back."""
    with proxied(reply(value={"name": "a" * 100_000}), enforce=True) as client:
        answer = create(client)
        assert (answer.status_code, len(answer.data), answer.headers[REPORT_HEADER]) == (201, 100_012, "none")
        assert found(client) == {("created", "documented", "response")}


def test_a_very_long_answer_is_not_judged() -> None:
    """Beyond 1 MiB nothing is kept to be judged."""
    with proxied(reply(value={"name": "a" * 2**20})) as client:
        assert (create(client).status_code, found(client)) == (201, set())
