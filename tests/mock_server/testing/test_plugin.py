"""The fixtures for the tests of a client: a mock per test, three HTTP clients, and failures that explain."""

import re
from typing import Any

import httpx
import pytest
import requests
import urllib3

from mock_server.testing import ContainersMock
from tests.support.fixture_player import ROOT

pytest_plugins = ["pytester", "mock_server.testing"]
BODY = {"service_slug": "tested", "display_name": "d", "docker_image": "n"}
DOCS = re.findall(r"```python\n(.*?)```", (ROOT / "docs/testing.md").read_text(encoding="utf-8"), re.DOTALL)


def post_by_requests(url: str, headers: dict[str, str], body: dict[str, Any]) -> int:
    """Send a POST with requests and return the status."""
    return requests.post(url, json=body, headers=headers, timeout=5).status_code


def post_by_httpx(url: str, headers: dict[str, str], body: dict[str, Any]) -> int:
    """Send a POST with httpx and return the status."""
    with httpx.Client(trust_env=False, timeout=5) as client:
        return client.post(url, json=body, headers=headers).status_code


def post_by_urllib3(url: str, headers: dict[str, str], body: dict[str, Any]) -> int:
    """Send a POST with urllib3 and return the status."""
    with urllib3.PoolManager(retries=False, timeout=5) as pool:
        return pool.request("POST", url, json=body, headers=headers).status


CLIENTS = {"requests": post_by_requests, "httpx": post_by_httpx, "urllib3": post_by_urllib3}
#: Raised by the client libraries for a lost connection.
CONNECTION_ERRORS = (requests.RequestException, httpx.TransportError, urllib3.exceptions.HTTPError)


@pytest.fixture(params=CLIENTS.values(), ids=CLIENTS)
def post(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that sends a POST without a proxy of the environment."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return request.param


def create(mock: ContainersMock, post: Any, **changes: Any) -> int:
    """Send a create and return the status."""
    return int(post(f"{mock.url}/containers", mock.headers(), {**BODY, **changes}))


def test_a_status_in_quotes_is_no_filter(containers_mock: ContainersMock, post: Any) -> None:
    """A text matches no request, so a filter with one is refused: `assert_not_called` would always pass."""
    assert [create(containers_mock, post) for _ in range(2)] == [201, 409]
    with pytest.raises(TypeError, match=r"status: got '409', expected a number such as 409"):
        containers_mock.requests.assert_not_called(status="409")


def test_a_misspelt_filter_is_explained(containers_mock: ContainersMock) -> None:
    """The message says which filters there are, and which was meant."""
    available = (
        "rul: unknown filter; available: rule, status, operation, caller, method, path; did you mean rule?"
    )
    for check in (containers_mock.requests.count, containers_mock.requests.assert_not_called):
        with pytest.raises(TypeError) as caught:
            check(rul="slug-unique")
        assert str(caught.value) == available
    journal = containers_mock.app.test_client().get("/_mock/journal?rul=slug-unique")
    assert journal.json["detail"] == available


def test_a_filter_without_its_name_is_explained(containers_mock: ContainersMock) -> None:
    """The first argument of `assert_called` is how often."""
    with pytest.raises(TypeError, match="times: got 'slug-unique', expected a number; a filter has a name"):
        containers_mock.requests.assert_called("slug-unique")  # type: ignore[arg-type]


def test_an_index_without_a_request_is_explained(containers_mock: ContainersMock, post: Any) -> None:
    """The message says how many requests were received."""
    with pytest.raises(IndexError, match="no request has the index 0: 0 received"):
        _ = containers_mock.requests[0]
    create(containers_mock, post)
    assert containers_mock.requests[-1].status == 201


def test_the_team_of_headers_may_be_positional(containers_mock: ContainersMock) -> None:
    """`headers(caller, team)` is called as its documentation writes it."""
    headers = containers_mock.headers("jwt-both", "red")
    assert headers == containers_mock.headers("jwt-both", team="red")


def test_a_request_is_recorded_before_its_delay(containers_mock: ContainersMock) -> None:
    """A client that gives up while its response is delayed finds its request, and the service that it stored."""
    containers_mock.delay_next(2)
    with (
        urllib3.PoolManager(retries=False, timeout=0.3) as pool,
        pytest.raises(urllib3.exceptions.ReadTimeoutError),
    ):
        pool.request(
            "POST", f"{containers_mock.url}/containers", json=BODY, headers=containers_mock.headers()
        )
    assert containers_mock.requests.assert_called_once(status=201).milliseconds > 2000


def test_a_create_is_stored_and_recorded(containers_mock: ContainersMock, post: Any) -> None:
    """The service and the request are listed, whatever the client library."""
    assert create(containers_mock, post) == 201
    assert [service["service_slug"] for service in containers_mock.services] == ["tested"]
    request = containers_mock.requests.assert_called_once(operation="createContainer", status=201)
    assert (request.caller, request.method, request.path) == ("sk-red", "POST", "/api/v1/containers")


def test_a_refusal_is_counted_by_its_rule(containers_mock: ContainersMock, post: Any) -> None:
    """The rule is counted, and no service is stored."""
    assert create(containers_mock, post, service_slug="No") == 400
    assert containers_mock.requests.count(rule="service-slug-pattern") == 1
    assert containers_mock.services == []


def test_fail_next_fails_the_next_requests(containers_mock: ContainersMock, post: Any) -> None:
    """Exactly `times` requests fail, and they store nothing."""
    containers_mock.fail_next(status=503, times=2, headers={"Retry-After": "1"})
    assert [create(containers_mock, post) for _ in range(3)] == [503, 503, 201]


def test_a_dropped_connection_raises_in_the_client(containers_mock: ContainersMock, post: Any) -> None:
    """The request is not carried out, and the next one is."""
    containers_mock.drop_next()
    with pytest.raises(CONNECTION_ERRORS):
        create(containers_mock, post)
    assert (containers_mock.services, create(containers_mock, post)) == ([], 201)


def test_a_truncated_response_raises_in_the_client(containers_mock: ContainersMock, post: Any) -> None:
    """The client library raises, and the service is stored."""
    containers_mock.truncate_next()
    with pytest.raises(CONNECTION_ERRORS):
        create(containers_mock, post)
    assert len(containers_mock.services) == 1


def test_a_drop_after_the_request_stores_the_service(containers_mock: ContainersMock, post: Any) -> None:
    """A retry finds the slug taken."""
    containers_mock.drop_next("after")
    with pytest.raises(CONNECTION_ERRORS):
        create(containers_mock, post)
    assert create(containers_mock, post) == 409


def test_a_delay_exceeds_the_timeout_of_a_client(containers_mock: ContainersMock) -> None:
    """The response arrives after the timeout of the client."""
    containers_mock.delay_next(0.5)
    with httpx.Client(trust_env=False, timeout=0.1) as client, pytest.raises(httpx.ReadTimeout):
        client.get(f"{containers_mock.url}/r/containers/x", headers=containers_mock.headers())


def test_reset_deletes_everything_except_the_callers(containers_mock: ContainersMock) -> None:
    """Services, requests and script are deleted."""
    containers_mock.seed(**BODY)
    containers_mock.fail_next()
    containers_mock.reset()
    assert (containers_mock.services, len(containers_mock.requests)) == ([], 0)
    assert create(containers_mock, post_by_httpx) == 201


def test_a_deploy_ends_when_the_clock_is_advanced(containers_mock: ContainersMock) -> None:
    """Updates are refused until the clock is past the deploy."""
    service_id = containers_mock.seed(**BODY)["id"]
    containers_mock.deploy(service_id, 60)
    url, statuses = f"{containers_mock.url}/containers/{service_id}", []
    with httpx.Client(trust_env=False, headers=containers_mock.headers()) as client:
        for _ in range(2):
            statuses.append(client.put(url, json={}).status_code)
            containers_mock.advance(60)
    assert (statuses, containers_mock.services[0]["service_status"]) == ([409, 200], "running")


@pytest.mark.parametrize("caller", ["jwt-red", "jwt-both", "sk-blue"])
def test_the_headers_of_a_caller_are_enough(containers_mock: ContainersMock, caller: str) -> None:
    """A create with the headers of any caller that may create is accepted: a JWT names its first team."""
    headers = containers_mock.headers(caller)
    assert post_by_httpx(f"{containers_mock.url}/containers", headers, BODY) == 201
    assert ("X-Team-ID" in headers) == caller.startswith("jwt")


def test_a_rule_in_place_of_a_status_is_explained(containers_mock: ContainersMock) -> None:
    """The first argument is a status; the message names the argument that was meant."""
    with pytest.raises(TypeError, match="for the refusal of a rule, rule='slug-unique'"):
        containers_mock.fail_next("slug-unique")  # type: ignore[arg-type]


def test_the_callers_are_those_of_the_fixtures(containers_mock: ContainersMock) -> None:
    """Each caller has its token, the team is that of the first credential, and the repr has no token."""
    assert containers_mock.tokens["dk-red"].startswith("dk-red-")
    assert containers_mock.teams["red"] == containers_mock.team_id
    assert containers_mock.token not in repr(containers_mock)


def test_the_token_of_an_unknown_caller_names_the_callers(containers_mock: ContainersMock) -> None:
    """A misspelt name is an error that has the known names, and so is that of a team."""
    with pytest.raises(
        KeyError, match=r"got 'sk-rde', expected one of sk-red, sk-blue.*; did you mean sk-red\?"
    ):
        containers_mock.tokens["sk-rde"]
    with pytest.raises(KeyError, match="got 'rde', expected one of red"):
        containers_mock.teams["rde"]


def test_an_invalid_step_raises(containers_mock: ContainersMock) -> None:
    """ValueError has the reason of the control plane."""
    with pytest.raises(ValueError, match="operation: got 'create', expected one of createContainer"):
        containers_mock.fail_next(operation="create")


def test_an_assertion_lists_near_misses_first(containers_mock: ContainersMock) -> None:
    """The request that misses the fewest filters is the first of the table."""
    create(containers_mock, post_by_httpx)
    create(containers_mock, post_by_httpx, service_slug="No")
    with pytest.raises(AssertionError) as caught:
        containers_mock.requests.assert_called_once(status=400, rule="slug-unique")
    lines = str(caught.value).splitlines()
    assert lines[0] == "expected 1, got 0 requests with status=400, rule='slug-unique'; received:"
    assert [line.split()[4] for line in lines[2:]] == ["400", "201"]


def test_an_empty_journal_is_explained(containers_mock: ContainersMock) -> None:
    """Without a request the explanation says so, and assert_not_called succeeds."""
    containers_mock.requests.assert_not_called()
    assert repr(containers_mock.requests) == "no request was received"
    with pytest.raises(AssertionError) as caught:
        containers_mock.requests.assert_called_once(rule="slug-unique")
    wanted = "expected 1, got 0 requests with rule='slug-unique'; no request was received"
    assert str(caught.value) == wanted


def test_the_app_is_the_same_mock_without_a_port(
    containers_mock: ContainersMock, containers_mock_app: Any
) -> None:
    """The live mock of a test lists the requests to its app."""
    headers = containers_mock.headers("jwt-red")
    response = containers_mock_app.test_client().post("/api/v1/containers", json=BODY, headers=headers)
    assert (response.status_code, containers_mock.requests.count(caller="jwt-red")) == (201, 1)


ISOLATED = """
import pytest
pytest_plugins = ["mock_server.testing"]

@pytest.fixture
def containers_mock_options():
    return {"disabled_rules": {"slug-unique"}}

@pytest.mark.parametrize("number", range(8))
def test_it(containers_mock, number):
    assert containers_mock.services == []
    containers_mock.seed(service_slug="same", display_name="d", docker_image="n")
"""


@pytest.mark.slow
def test_parallel_mocks_are_independent(pytester: pytest.Pytester) -> None:
    """Under xdist each test has its own port and memory; options are a fixture to override."""
    pytester.makepyfile(ISOLATED)
    result = pytester.runpytest_subprocess("-n", "2", "-W", "error", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=8)


@pytest.mark.slow
def test_the_examples_of_the_documentation_pass(pytester: pytest.Pytester) -> None:
    """Each example of docs/testing.md is a test file that passes, with warnings as errors."""
    pytester.makepyfile(**{f"test_example_{number}": block for number, block in enumerate(DOCS)})
    result = pytester.runpytest_subprocess(
        "-p", "mock_server.testing", "-W", "error", "-p", "no:cacheprovider"
    )
    assert (result.ret, len(DOCS) >= 4) == (0, True)


def test_an_unknown_rule_raises(containers_mock: ContainersMock) -> None:
    """An assertion about an unknown rule fails instead of passing without a check."""
    with pytest.raises(ValueError, match="expected the id of a rule"):
        containers_mock.requests.assert_not_called(rule="service-slug-requierd")


UNKNOWN_NAMES: dict[str, dict[str, Any]] = {
    "rule": {"rule": "slug-uniq"},
    "caller": {"caller": "sk-rde"},
    "status": {"status": "four"},
    "operation": {"operation": "create"},
}


@pytest.mark.parametrize("filters", UNKNOWN_NAMES.values(), ids=UNKNOWN_NAMES)
def test_an_unknown_name_in_a_filter_raises(containers_mock: ContainersMock, filters: dict[str, Any]) -> None:
    """An unknown rule, caller, status or operation is reported instead of counted as zero."""
    with pytest.raises((TypeError, ValueError), match=f"^{next(iter(filters))}: got"):
        containers_mock.requests.assert_not_called(**filters)


def test_filters_accept_method_in_any_case_and_both_paths(containers_mock: ContainersMock, post: Any) -> None:
    """`post` is POST, and a path may omit the path of the base URL."""
    post(f"{containers_mock.url}/containers", {}, containers_mock.headers())
    for path in ("/containers", "/api/v1/containers"):
        containers_mock.requests.assert_called_once(method="post", path=path)


def test_headers_of_an_unknown_caller_raise(containers_mock: ContainersMock) -> None:
    """The error names the known callers."""
    with pytest.raises(ValueError, match=r"expected one of sk-red.*; did you mean sk-red\?"):
        containers_mock.headers("sk-rde")


def test_headers_name_another_team(containers_mock: ContainersMock) -> None:
    """A JWT caller of two teams acts for the one that the test names; an unknown label is an error."""
    headers = containers_mock.headers("jwt-both", team="red")
    assert (
        headers["X-Team-ID"]
        == containers_mock.teams["red"]
        != containers_mock.headers("jwt-both")["X-Team-ID"]
    )
    with pytest.raises(ValueError, match="team: got 'green', expected one of red, blue"):
        containers_mock.headers("jwt-both", team="green")


def test_a_received_request_has_its_body_as_json(containers_mock: ContainersMock) -> None:
    """A test reads what its client sent without parsing it, and why it was refused."""
    assert create(containers_mock, post_by_httpx, exposed_port=0) == 400
    received = containers_mock.requests[0]
    assert received.json["exposed_port"] == 0
    assert received.reason == "exposed_port: got 0, expected an integer of at least 1"


def test_a_fault_that_is_used_once_is_used(containers_mock: ContainersMock) -> None:
    """A step for several requests counts as used from the first on."""
    containers_mock.fail_next(times=2)
    with pytest.raises(
        AssertionError, match="no request has used this fault:\n  status=503, times=2\nreceived:"
    ):
        containers_mock.assert_all_faults_used()
    assert create(containers_mock, post_by_httpx) == 503
    containers_mock.assert_all_faults_used()
    assert containers_mock.requests[0].injected == "script"


def test_seeding_an_unknown_property_raises(containers_mock: ContainersMock) -> None:
    """The error has the name that was meant."""
    with pytest.raises(ValueError, match=r"displayname: unknown property, did you mean display_name\?"):
        containers_mock.seed(displayname="d", **BODY)


def test_a_received_request_has_its_remarks(containers_mock: ContainersMock) -> None:
    """`ignored` lists the properties without effect."""
    assert create(containers_mock, post_by_httpx, displayname="d") == 201
    assert containers_mock.requests[0].ignored == ("displayname (did you mean display_name?)",)
