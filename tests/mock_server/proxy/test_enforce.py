"""The proxy: what it may not call wrong, what it refuses, and what it shows."""

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
from tests.support.fixture_player import RULES, Case, Play, cases
from tests.support.gate.example_app import deployment
from tests.support.gate.gate import EXAMPLE_HOOK, judged, violated
from tests.support.proxy.in_process import (
    BODY,
    CREATE,
    HEADERS,
    TOKENS,
    Upstream,
    create,
    found,
    proxied,
    reply,
)

# --- what is right may not be called wrong


OPEN = [case for case in cases() if case.expect == "open" and len(case.steps) == 1]
WRONG = [
    case
    for case in cases()
    if case.expect == "refuse"
    and RULES[case.rule].get("stage", "state") != "state"
    and case.rule not in ("auth-known", "team-member")
]


@pytest.fixture(scope="module")
def careless() -> Iterator[Client]:
    """A proxy before an upstream that accepts everything."""
    with proxied(Upstream()) as client:
        yield client


def last(client: Client, case: Case) -> list[dict[str, Any]]:
    """The violations of the last request of a case."""
    with over_wsgi(client.application) as send:
        Play(send).run(case)
    violations: list[dict[str, Any]] = client.get("/_mock/journal").json["requests"][-1]["violations"]
    client.delete("/_mock/journal")
    return violations


@pytest.mark.parametrize("case", OPEN, ids=lambda case: case.id)
def test_what_the_pages_leave_open_is_no_more_than_assumed(careless: Client, case: Case) -> None:
    """A deployment that accepts what nobody forbids breaks no rule that is documented."""
    assert {violation["grade"] for violation in last(careless, case)} <= {"assumed"}


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.id)
def test_what_the_pages_forbid_is_named(careless: Client, case: Case) -> None:
    """A deployment that accepts what a rule refuses is said to break that rule, with the grade of the rule."""
    told = {(violation["rule"], violation["grade"], violation["in"]) for violation in last(careless, case)}
    rules = {case.rule, case.rule.replace("-required", "-type")}
    assert told & {(rule, RULES[case.rule]["grade"], "response") for rule in rules}


def test_a_deployment_that_chooses_otherwise_raises_no_alarm() -> None:
    """The example deployment keeps what is documented, in cases and generated bodies, and the proxy says so."""
    with proxied(deployment(DEFAULT)) as client:
        report = judged(client.application, hook=EXAMPLE_HOOK, layers=("cases", "properties"), strict=False)
        answers = {(rule, grade) for rule, grade, place in found(client) if place == "response"}
    assert report.exit_code == 0
    assert {rule for rule, grade in answers if grade != "assumed"} == set()
    assert ("gpu-count-range", "assumed") in answers


def test_a_fault_of_the_upstream_is_found_through_the_proxy_and_by_it() -> None:
    """The gate names the rule that the upstream forgot, and so does the journal of the proxy."""
    with proxied(create_app(disabled_rules={"exposed-port-range"})) as client:
        assert violated(judged(client.application, layers=("cases",))) == {"exposed-port-range"}
        documented = {rule for rule, _, place in found(client) if place == "response"}
    assert documented == {"exposed-port-range"}


# --- enforcing


def test_a_violating_call_is_refused_as_the_mock_refuses_it() -> None:
    """With `enforce` the upstream never sees it, and the answer is the mock's, word for word."""
    upstream = Upstream()
    with proxied(upstream, enforce=True) as client:
        refused = create(client, exposed_port=0, display_name=5)
        passed = create(client, gpu_count=-2)
    mocks = create(Client(create_app()), exposed_port=0, display_name=5)
    assert (refused.status_code, refused.data, len(upstream.received)) == (400, mocks.data, 1)
    assert (passed.status_code, "gpu-count-range" in passed.headers[REPORT_HEADER]) == (201, True)


def test_a_refusal_is_that_of_the_first_stage() -> None:
    """Of a call without its team and with a wrong body the mock and the proxy name the team."""
    headers = {**HEADERS, "Authorization": f"Bearer {TOKENS['jwt-red']}"}
    with proxied(Upstream(), enforce=True) as client:
        answers = [
            each.post(CREATE, json={"exposed_port": 0}, headers=headers)
            for each in (client, Client(create_app()))
        ]
    assert answers[0].data == answers[1].data
    assert [violation["rule"] for violation in answers[0].json["violations"]] == ["team-required-for-jwt"]


def test_what_is_only_assumed_is_refused_on_demand() -> None:
    """With `strict` an assumed rule is enforced like any other."""
    upstream = Upstream()
    with proxied(upstream, enforce=True, strict=True) as client:
        assert (create(client, gpu_count=-2).status_code, upstream.received) == (400, [])


@pytest.mark.parametrize(
    ("strict", "status", "outcome"), [(False, 200, 200), (True, 200, 502), (False, 500, 502)]
)
def test_a_violating_answer_is_held_back(strict: bool, status: int, outcome: int) -> None:
    """In its place there is a 502 that lists what it breaks."""
    with proxied(reply(status), enforce=True, strict=strict) as client:
        answer = create(client)
    assert answer.status_code == outcome
    if outcome == 502:
        rule = {200: "response-status", 500: "response-server-error"}[status]
        assert [violation["rule"] for violation in answer.json["violations"]] == [rule]


def test_a_call_of_a_later_stage_is_refused_when_an_earlier_one_is_only_assumed() -> None:
    """The refusal names the first stage that counts."""
    with proxied(Upstream(), enforce=True) as client:
        raw = json.dumps(BODY)[:-1] + ', "exposed_port": 1, "exposed_port": 0}'
        answer = client.post(CREATE, data=raw, headers=HEADERS)
    assert [violation["rule"] for violation in answer.json["violations"]] == ["exposed-port-range"]


# --- what is shown


def test_the_proxy_owns_its_page_and_its_journal_only() -> None:
    """What else is under /_mock/ is the upstream's, such as the hook that sets a status."""
    with proxied(create_app()) as client:
        made = create(client).json["id"]
        told = client.put(f"/_mock/services/{made}/status/stopping")
        busy = client.put(f"{CREATE}/{made}", json={}, headers=HEADERS)
        page = client.get("/_mock/")
        counts = [client.get(f"/_mock/{name}").json for name in ("health", "services")]
        assert (told.json["service_status"], busy.status_code) == ("stopping", 409)
        assert "proxy of http://127.0.0.1" in page.text
        assert ("services" in counts[0], counts[0]["requests"], counts[1]["count"]) == (False, 2, 1)
        assert client.get("/_mock/journal?rule=response-status").json["count"] == 0
        forgotten = client.post("/_mock/page/delete-requests", headers={"Sec-Fetch-Site": "same-origin"})
        assert (forgotten.status_code, client.get("/_mock/journal").json["count"]) == (303, 0)


def test_without_its_page_all_paths_are_the_upstreams() -> None:
    """The journal that answers is that of the mock behind it."""
    with proxied(create_app(), control=False) as client:
        create(client)
        assert "services" in client.get("/_mock/health").json


def test_no_token_is_ever_shown() -> None:
    """Neither journal nor page nor log nor report repeats a token or a cookie, and the upstream is sent them."""
    lines: list[str] = []
    for token in (TOKENS["dk-red"], "sk-made-up-0123456789"):
        upstream = Upstream(
            400, f'{{"seen": "{token}"}}'.encode(), {"Set-Cookie": f"a={token}", "X-T": token}
        )
        with ExitStack() as stack:
            client = stack.enter_context(proxied(upstream, log=lines.append))
            headers = {"Authorization": f"Bearer {token}", "X-Copy": token, "X-Team-ID": token}
            cookie = {"Cookie": "session=hidden-cookie", "Proxy-Authorization": "Basic hidden-cookie"}
            sent = [
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
            reports = [answer.headers.get(REPORT_HEADER, "") for answer in sent]
            shown = "".join([*pages, *lines, *reports, *map(repr, entries)])
            stored = b"".join(entry.body + entry.response_body for entry in entries[:3])
            assert (token in shown, token.encode() in stored, "hidden-cookie" in shown) == (False,) * 3
            assert upstream.received[0].headers["Authorization"] == f"Bearer {token}"
            assert upstream.received[0].headers["Cookie"] == "session=hidden-cookie"


def test_a_failure_of_the_proxy_itself_repeats_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The client gets a 500, and the log says where, but not what the exception says."""

    def failing(*_: object) -> None:
        raise ValueError(f"Invalid header value {HEADERS['Authorization']}")

    client = Client(create_proxy("http://127.0.0.1:1/api/v1"))
    monkeypatch.setattr(client.application._upstream, "send", failing)
    answer = create(client)
    assert (answer.status_code, "please report it" in answer.json["detail"]) == (500, True)
    assert ("ValueError" in caplog.text, Path(__file__).name in caplog.text) == (True, True)
    assert TOKENS["sk-red"] not in caplog.text + answer.text
