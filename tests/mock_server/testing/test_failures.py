"""What a failing test of a client shows."""

import pytest

pytest_plugins = ["pytester"]

FAILS = """
def test_it(containers_mock_app, containers_mock):
    containers_mock_app.test_client().post("/api/v1/containers", json={}, headers=containers_mock.headers())
    assert containers_mock.requests.count(rule="slug-unique") == 1
"""


@pytest.mark.slow
def test_a_failed_comparison_lists_the_requests(pytester: pytest.Pytester) -> None:
    """A plain assert on a count lists the requests received, without tokens."""
    pytester.makepyfile(FAILS)
    result = pytester.runpytest_subprocess("-p", "mock_server.testing", "-p", "no:cacheprovider")
    result.stdout.fnmatch_lines(
        ["E*assert 0 == 1", "E*0 requests with rule='slug-unique'; received:", "E*POST*sk-red*400*required*"]
    )
    assert "sk-red-" not in result.stdout.str()


def run_client_test(pytester: pytest.Pytester, body: str, *options: str) -> pytest.RunResult:
    """Run a test of a client with that body in another process."""
    pytester.makepyfile(f"def test_it(containers_mock):\n    {body}\n")
    return pytester.runpytest_subprocess("-p", "mock_server.testing", "-p", "no:cacheprovider", *options)


UNUSED = 'containers_mock.fail_next(rule="slug-unique", operation="createContainer")'


@pytest.mark.slow
def test_a_fault_that_no_request_used_fails_the_test(pytester: pytest.Pytester) -> None:
    """The failure lists the fault and the requests, once and without frames; the ini option turns the check off."""
    result = run_client_test(pytester, UNUSED)
    report = result.stdout.str().split("short test summary")[0]
    assert (report.count("no request has used this fault:"), "traceback" in report) == (1, False)
    result.stdout.fnmatch_lines(
        ["no request has used this fault:", "  rule='slug-unique', operation='createContainer'", "received:"]
    )
    result.assert_outcomes(failed=1)
    option = "containers_mock_assert_all_faults_used=false"
    run_client_test(pytester, UNUSED, "-o", option).assert_outcomes(passed=1)


@pytest.mark.slow
def test_a_failed_test_shows_why_its_requests_were_refused(pytester: pytest.Pytester) -> None:
    """A client that trips over a refusal fails somewhere else; the report has the requests and the reason."""
    post = 'containers_mock.app.test_client().post("/api/v1/containers", headers=containers_mock.headers(), json={})'
    result = run_client_test(pytester, f'{post}.json["id"]')
    result.stdout.fnmatch_lines(
        ["E*KeyError: 'id'", "*Requests to containers_mock*", "1*POST*400*", "1: *display_name: got nothing*"]
    )
    misspelt = post.replace("json={}", "json={'displayname': 'A name'}")
    result = run_client_test(pytester, f'{misspelt}.json["id"]')
    result.stdout.fnmatch_lines(
        ["1: *display_name: got nothing*", "1: ignored: displayname (did you mean display_name[?])"]
    )
    result = run_client_test(pytester, f"{post}\n    containers_mock.requests.assert_not_called()")
    assert "Requests to containers_mock" not in result.stdout.str()  # the message lists them


@pytest.mark.slow
def test_a_failed_test_names_the_faults_that_no_request_used(pytester: pytest.Pytester) -> None:
    """A test that waits for the error of a fault fails elsewhere if no request matched the fault."""
    post = 'containers_mock.app.test_client().post("/api/v1/containers", headers=containers_mock.headers(), json={})'
    lines = (
        'containers_mock.fail_next(409, operation="updateContainer")',
        "containers_mock.truncate_next(3)",
        f"assert {post}.status_code == 409",
    )
    result = run_client_test(pytester, "\n    ".join(lines))
    result.stdout.fnmatch_lines(
        [
            "1*POST*sk-red*docker-image-required; injected: script",
            "*Unused faults of containers_mock*",
            "no request has used this fault:",
            "  status=409, operation='updateContainer'",
        ]
    )


TYPOS = {
    "script": 'containers_mock.fail_next(rule="slug-uniqe")',
    "filter": 'containers_mock.requests.count(rule="slug-uniqe")',
}


@pytest.mark.slow
@pytest.mark.parametrize("body", TYPOS.values(), ids=TYPOS)
def test_a_failure_shows_no_frame_of_the_kit(pytester: pytest.Pytester, body: str) -> None:
    """The traceback has the line of the test and the message, with the rule that was meant."""
    result = run_client_test(pytester, body)
    result.stdout.fnmatch_lines([f">*{body[:30]}*", "E*ValueError: rule: got*did you mean slug-unique?"])
    assert "plugin.py" not in result.stdout.str()
    assert "requests.py" not in result.stdout.str()


@pytest.mark.slow
def test_a_lost_connection_shows_no_frame_of_the_kit(pytester: pytest.Pytester) -> None:
    """In process, the error of a dropped connection ends in the frames of the client."""
    call = 'containers_mock.app.test_client().post("/api/v1/containers")'
    result = run_client_test(pytester, f"containers_mock.drop_next()\n    {call}")
    result.stdout.fnmatch_lines(["E*ConnectionResetError: the connection is closed on demand"])
    assert "truncated_body.py" not in result.stdout.str()
