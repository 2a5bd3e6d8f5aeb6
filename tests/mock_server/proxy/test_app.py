"""The proxy: its leniency, its refusals, its pages and its redaction."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from examples.deployment.choices import DEFAULT
from mock_server import create_app
from mock_server.proxy.app import create_proxy
from mock_server.proxy.headers import REPORT_HEADER
from tests.support.clients import over_wsgi
from tests.support.fixture_player import ROOT, RULES, Case, FixturePlayer, cases
from tests.support.gate.example_app import build_deployment_app
from tests.support.gate.gate import EXAMPLE_HOOK, judge_app, violated_rules
from tests.support.proxy.in_process import (
    BODY,
    CREATE,
    HEADERS,
    TOKENS,
    FixedUpstream,
    create,
    journal_violations,
    proxy_client,
    upstream_with,
)

# --- leniency


OPEN = [case for case in cases() if case.expect == "open" and len(case.steps) == 1]
WRONG = [
    case
    for case in cases()
    if case.expect == "refuse"
    and RULES[case.rule].get("stage", "state") != "state"
    and case.rule not in ("auth-known", "team-member")
]


@pytest.fixture(scope="module")
def lenient_proxy() -> Iterator[Client]:
    """Yield a client of a proxy before an upstream that accepts everything."""
    with proxy_client(FixedUpstream()) as client:
        yield client


def last_violations(client: Client, case: Case) -> list[dict[str, Any]]:
    """Return the violations of the last request of a case."""
    with over_wsgi(client.application) as send:
        FixturePlayer(send).run(case)
    violations: list[dict[str, Any]] = client.get("/_mock/journal").json["requests"][-1]["violations"]
    client.delete("/_mock/journal")
    return violations


@pytest.mark.parametrize("case", OPEN, ids=lambda case: case.id)
def test_an_open_point_is_assumed_at_most(lenient_proxy: Client, case: Case) -> None:
    """Accepting an open case breaks no documented rule."""
    assert {violation["grade"] for violation in last_violations(lenient_proxy, case)} <= {"assumed"}


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.id)
def test_an_accepted_violation_is_named(lenient_proxy: Client, case: Case) -> None:
    """A deployment that accepts an invalid request breaks its rule, with the grade of the rule."""
    violations = {
        (violation["rule"], violation["grade"], violation["in"])
        for violation in last_violations(lenient_proxy, case)
    }
    rules = {case.rule, case.rule.replace("-required", "-type")}
    assert violations & {(rule, RULES[case.rule]["grade"], "response") for rule in rules}


@pytest.mark.slow
def test_other_choices_raise_no_alarm() -> None:
    """The example deployment breaks no documented rule, in cases and in generated bodies."""
    with proxy_client(build_deployment_app(DEFAULT)) as client:
        report = judge_app(
            client.application, hook=EXAMPLE_HOOK, layers=("cases", "properties"), strict=False
        )
        broken = {
            (rule, grade) for rule, grade, location in journal_violations(client) if location == "response"
        }
    assert report.exit_code == 0
    assert {rule for rule, grade in broken if grade != "assumed"} == set()
    assert ("gpu-count-range", "assumed") in broken


@pytest.mark.slow
def test_a_faulty_upstream_is_found() -> None:
    """The gate names the rule that the upstream lacks, and the journal of the proxy does too."""
    with proxy_client(create_app(disabled_rules={"exposed-port-range"})) as client:
        assert violated_rules(judge_app(client.application, layers=("cases",))) == {"exposed-port-range"}
        broken = {rule for rule, _, location in journal_violations(client) if location == "response"}
    assert broken == {"exposed-port-range"}


# --- enforcing


def test_a_violating_request_is_refused_like_by_the_mock() -> None:
    """With `enforce` the request is not forwarded, and the refusal equals that of the mock."""
    upstream = FixedUpstream()
    with proxy_client(upstream, enforce=True) as client:
        refusal = create(client, exposed_port=0, display_name=5)
        forwarded = create(client, gpu_count=-2)
    expected = create(Client(create_app()), exposed_port=0, display_name=5)
    assert (refusal.status_code, refusal.data, len(upstream.requests)) == (400, expected.data, 1)
    assert (forwarded.status_code, "gpu-count-range" in forwarded.headers[REPORT_HEADER]) == (201, True)


def test_a_refusal_is_of_the_first_stage() -> None:
    """A request without a team and with an invalid body is refused for its team."""
    headers = {**HEADERS, "Authorization": f"Bearer {TOKENS['jwt-red']}"}
    with proxy_client(FixedUpstream(), enforce=True) as client:
        responses = [
            tested.post(CREATE, json={"exposed_port": 0}, headers=headers)
            for tested in (client, Client(create_app()))
        ]
    assert responses[0].data == responses[1].data
    assert [violation["rule"] for violation in responses[0].json["violations"]] == ["team-required-for-jwt"]


def test_strict_enforces_assumed_rules() -> None:
    """With `strict` an assumed rule is enforced like any other."""
    upstream = FixedUpstream()
    with proxy_client(upstream, enforce=True, strict=True) as client:
        assert (create(client, gpu_count=-2).status_code, upstream.requests) == (400, [])


@pytest.mark.parametrize(
    ("strict", "status", "outcome"), [(False, 200, 200), (True, 200, 502), (False, 500, 502)]
)
def test_a_violating_response_is_replaced(strict: bool, status: int, outcome: int) -> None:
    """The client gets a 502 that lists the violations."""
    with proxy_client(upstream_with(status), enforce=True, strict=strict) as client:
        response = create(client)
    assert response.status_code == outcome
    if outcome == 502:
        rule = {200: "response-status", 500: "response-server-error"}[status]
        assert [violation["rule"] for violation in response.json["violations"]] == [rule]


def test_an_assumed_violation_does_not_hide_a_later_stage() -> None:
    """The refusal names the first stage with an enforced violation."""
    with proxy_client(FixedUpstream(), enforce=True) as client:
        raw_body = json.dumps(BODY)[:-1] + ', "exposed_port": 1, "exposed_port": 0}'
        response = client.post(CREATE, data=raw_body, headers=HEADERS)
    assert [violation["rule"] for violation in response.json["violations"]] == ["exposed-port-range"]


# --- pages and redaction


def test_the_proxy_has_only_its_own_pages() -> None:
    """Other paths under /_mock/ are forwarded, such as the hook that sets a status."""
    with proxy_client(create_app()) as client:
        service_id = create(client).json["id"]
        hook = client.put(f"/_mock/services/{service_id}/status/stopping")
        update = client.put(f"{CREATE}/{service_id}", json={}, headers=HEADERS)
        page = client.get("/_mock/")
        counts = [client.get(f"/_mock/{name}").json for name in ("health", "services")]
        assert (hook.json["service_status"], update.status_code) == ("stopping", 409)
        assert "proxy of http://127.0.0.1" in page.text
        assert ("services" in counts[0], counts[0]["requests"], counts[1]["count"]) == (False, 2, 1)
        assert client.get("/_mock/journal?rule=response-status").json["count"] == 0
        deletion = client.post("/_mock/page/delete-requests", headers={"Sec-Fetch-Site": "same-origin"})
        assert (deletion.status_code, client.get("/_mock/journal").json["count"]) == (303, 0)


@pytest.mark.parametrize("control", [False, True])
@pytest.mark.parametrize("path", ["/_mock/services", "/%5fmock/services"])
def test_no_foreign_name_reaches_the_control_plane_of_the_upstream(path: str, *, control: bool) -> None:
    """The name under which the proxy is reached counts for what it forwards to a mock, too."""
    with proxy_client(create_app(), control=control) as client:
        hosts = ("evil.example", "localhost")
        assert [client.get(path, headers={"Host": host}).status_code for host in hosts] == [403, 200]
        assert client.post(CREATE, json=BODY, headers={**HEADERS, "Host": "evil.example"}).status_code == 201


def test_without_pages_every_path_is_forwarded() -> None:
    """The health check is that of the mock behind the proxy."""
    with proxy_client(create_app(), control=False) as client:
        create(client)
        assert "services" in client.get("/_mock/health").json


@pytest.mark.parametrize("enforce", [False, True])
def test_no_part_of_a_token_is_shown(*, enforce: bool) -> None:
    """A value is cut where a violation shows it; no beginning of a token that it holds stays."""
    token = f"sk-{'S3cretPart' * 12}"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    bodies = (
        json.dumps({**BODY, "exposed_port": token}),
        f'{{"{token}": 1, "{token}": 2}}',
        json.dumps({**BODY, "env_config": [{"a" * 30: token}]}),
    )
    answer = FixedUpstream(201, json.dumps({"id": token}).encode())
    with proxy_client(answer, enforce=enforce, strict=enforce) as client:
        received = [client.post(CREATE, data=body, headers=headers) for body in bodies]
        received.append(client.post(CREATE, json=BODY, headers=headers))
        shown = client.get("/_mock/journal").get_data(as_text=True)
        pages = [client.get(f"/_mock/requests/{number}").get_data(as_text=True) for number in range(1, 5)]
    own = [response.get_data(as_text=True) for response in received if response.status_code != 201]
    assert (len(own), any("S3cretPart" in text for text in (shown, *pages, *own))) == (
        4 if enforce else 0,
        False,
    )


def test_a_changed_token_is_not_shown() -> None:
    """A token that the upstream repeats as a header name, in capitals or without its end stays hidden."""
    token = TOKENS["dk-red"]
    body = json.dumps({"id": token.upper(), "cut": token[:-1]}).encode()
    with proxy_client(FixedUpstream(201, body, {token: "1"})) as client:
        client.post(CREATE, json=BODY, headers={"Authorization": f"Bearer {token}"})
        shown = client.get("/_mock/journal").text + client.get("/_mock/requests/1").text
    assert token[:-1].lower() not in shown.lower()


def test_no_token_is_shown() -> None:
    """Neither journal, pages, log nor report repeats a token or a cookie, and the upstream receives both."""
    lines: list[str] = []
    for token in (TOKENS["dk-red"], "sk-made-up-0123456789"):
        upstream = FixedUpstream(
            400, f'{{"seen": "{token}"}}'.encode(), {"Set-Cookie": f"a={token}", "X-T": token}
        )
        with ExitStack() as stack:
            client = stack.enter_context(proxy_client(upstream, log=lines.append))
            headers = {"Authorization": f"Bearer {token}", "X-Copy": token, "X-Team-ID": token}
            cookie = {"Cookie": "session=hidden-cookie", "Proxy-Authorization": "Basic hidden-cookie"}
            responses = [
                client.put(
                    f"{CREATE}/{token}?token={token}", json={token: [token]}, headers={**headers, **cookie}
                ),
                client.post(CREATE, data=f"{'a' * 65536}{token}", headers=headers),
                client.get(f"/{token}", headers=headers),
                client.post(CREATE, json={**BODY, "display_name": [token]}, headers=headers),
            ]
            entries = client.application._exchange_logger._journal.select()
            pages = [
                client.get(f"/_mock/{page}").text for page in ("", "journal", "requests/1", "requests/4")
            ]
            reports = [response.headers.get(REPORT_HEADER, "") for response in responses]
            texts = "".join([*pages, *lines, *reports, *map(repr, entries)])
            stored_bodies = b"".join(entry.body + entry.response_body for entry in entries[:3])
            assert (token in texts, token.encode() in stored_bodies, "hidden-cookie" in texts) == (False,) * 3
            assert upstream.requests[0].headers["Authorization"] == f"Bearer {token}"
            assert upstream.requests[0].headers["Cookie"] == "session=hidden-cookie"


def test_a_failure_of_the_proxy_repeats_no_value(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The client gets a 500, and the log has the places but not the message of the exception."""

    def fail(*_: object) -> None:
        raise ValueError(f"Invalid header value {HEADERS['Authorization']}")

    client = Client(create_proxy("http://127.0.0.1:1/api/v1"))
    monkeypatch.setattr(client.application._upstream, "send", fail)
    response = create(client)
    assert (response.status_code, "please report it" in response.json["detail"]) == (500, True)
    assert ("ValueError" in caplog.text, Path(__file__).name in caplog.text) == (True, True)
    assert TOKENS["sk-red"] not in caplog.text + response.text


@pytest.mark.parametrize(("path", "caller"), [("/nope", "sk-red"), (CREATE, "ak-red")])
def test_a_known_caller_is_named_on_every_path(path: str, caller: str) -> None:
    """The journal names the caller of an unknown path, and one that the contract refuses."""
    with proxy_client(FixedUpstream(), callers=ROOT / "fixtures/callers.yaml") as client:
        headers = {"Authorization": f"Bearer {TOKENS[caller]}"}
        client.post(path, json=BODY, headers=headers, buffered=True)
        [entry] = client.get("/_mock/journal").json["requests"]
    assert entry["caller"] == caller
