"""A finding as a pytest: it fails on the deployment that was judged, and passes on the mock."""

import ast
import re
from dataclasses import replace
from typing import Any

import pytest

from contract_tests.cases.callers import load_callers
from contract_tests.cases.model import Case, Step
from contract_tests.contract.resources import data_file
from contract_tests.results.findings import Finding
from contract_tests.results.reproduction.pytest_file import render_pytest
from contract_tests.targets.base import Request, Response
from contract_tests.targets.exchange import Exchange, Redactor
from mock_server import create_app
from tests.quality.faults import FAULTS
from tests.support.clients import serving
from tests.support.gate.gate import catalogue, judge_app
from tests.support.sampling import keep_first

TOKENS = {caller.name: caller.token for caller in load_callers(data_file("fixtures/callers.yaml"))}
NAMES = (
    "port-text-taken-on-update",
    "taken-slug-crashes",
    "name-trimmed-on-create",
    "agent-key-taken-with-a-team",
    "port-above-32767-refused-on-update",
)
EXCHANGE = Exchange("sk-red", "POST", "http://h/containers", (), "{}", 400, (), "", "", "", 0.0)


def render(finding: Finding) -> str:
    """Return the source of a finding's test."""
    return render_pytest(finding.case, finding.rule, finding.to_json(), finding.exchanges)


def run_test(source: str, app: Any, finding: Finding, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Return whether a generated test passes on an app."""
    monkeypatch.setenv(finding.exchanges[-1].token_variable, "unused")
    monkeypatch.setenv("TOKEN_OWNER", TOKENS["sk-red"])
    for name, token in TOKENS.items():
        monkeypatch.setenv(f"TOKEN_{name.upper().replace('-', '_')}", token)
    with serving(app) as port:
        monkeypatch.setenv("TARGET", f"http://127.0.0.1:{port}/api/v1")
        namespace: dict[str, Any] = {}
        exec(compile(source, "generated", "exec"), namespace)
        (test,) = (value for name, value in namespace.items() if name.startswith("test_"))
        try:
            test()
        except AssertionError:
            return False
    return True


@pytest.mark.slow
@pytest.mark.parametrize("name", keep_first(2, NAMES))
def test_it_fails_on_the_deployment_and_passes_on_the_mock(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test of each finding tells the faulty deployment from the mock, and contains no token."""
    fault = next(fault for fault in FAULTS if fault.name == name)
    findings = judge_app(fault.app()).findings
    assert findings
    for finding in findings:
        source = render(finding)
        assert not any(token in source for token in TOKENS.values())
        assert not run_test(source, fault.app(), finding, monkeypatch), source
        assert run_test(source, create_app(), finding, monkeypatch), source


@pytest.mark.parametrize(
    ("layer", "steps", "problem"),
    [
        ("race", (Step(),), "at the same moment"),
        ("lifecycle", (Step(), Step("setStatus", status="deploying")), "--control-hook"),
        ("cases", (Step(),), "it holds no requests"),
    ],
)
def test_what_plain_requests_cannot_show_is_refused(
    layer: Any, steps: tuple[Step, ...], problem: str
) -> None:
    """A race, a set status and a finding without its requests are no pytest; the reason is one line."""
    with pytest.raises(ValueError, match=problem):
        render_pytest(Case("a", "created", layer, steps), catalogue()["created"], {}, ())


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"url": "http://h/api"}, "a URL holds no /containers"),
        ({"method": "GET"}, "a URL holds no /r/containers"),
        ({"body_cut": True}, "a body is too long to be stored"),
        ({"body": "ab" * 40_000}, "a body is too long for a source file"),
    ],
)
def test_a_request_that_cannot_be_written_is_named(change: dict[str, Any], problem: str) -> None:
    """A URL of another API and a body that is stored in part only are one line."""
    with pytest.raises(ValueError, match=problem):
        render_pytest(
            Case("a", "created", "cases", (Step(),)),
            catalogue()["created"],
            {},
            [replace(EXCHANGE, **change)],
        )


def test_a_long_run_of_one_character_is_a_product() -> None:
    """A body of two megabytes is a line of source, which has the same text."""
    body = '{"service_desc": "' + "a" * 2_000_000 + '"}'
    source = render_pytest(
        Case("a", "body-size", "wire", (Step(expect="refuse"),)),
        catalogue()["body-size"],
        {},
        [replace(EXCHANGE, body=body)],
    )
    assert len(source) < 5000
    (written,) = re.findall(r"body=(\(.*\* 2000000 .*\)),", source)
    assert eval(written) == body


def test_a_long_body_gets_a_new_slug() -> None:
    """The slug behind a text of two megabytes is replaced, too: it is taken once the test has run."""
    body = b'{"service_desc": "' + b"a" * 2_000_000 + b'", "service_slug": "ck-0123456789ab"}'
    request = Request("POST", "/containers", (), body)
    exchange = Redactor(()).record_exchange("sk-red", "http://h", request, Response(201, (), b"", 0.1))
    case = Case("a", "body-size", "wire", (Step(expect="refuse"),))
    source = render_pytest(case, catalogue()["body-size"], {}, [exchange])
    assert '"service_slug": "ck-{new}"' in source
    assert "0123456789ab" not in source


def test_a_missing_variable_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test names all variables that are not set, and its docstring the caller of each token."""
    exchange = replace(EXCHANGE, headers=(("Authorization", "Bearer $TOKEN"),), token_env="CYBERUN_SK")
    source = render_pytest(
        Case("a", "updated", "cases", (Step(),)), catalogue()["updated"], {}, [exchange, exchange]
    )
    assert "and CYBERUN_SK (the token of sk-red) in the environment." in source
    for name in ("TARGET", "CYBERUN_SK"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(pytest.fail.Exception, match=r"^set TARGET, CYBERUN_SK in the environment$"):
        exec(compile(source, "generated", "exec"), {})


HOSTILE = 'x"""\nprint("PWN")\n"""\\'


def test_the_texts_of_a_finding_are_no_code() -> None:
    """Whatever a finding's file holds, its test calls nothing that another test of a finding does not call."""
    exchange = replace(EXCHANGE, url=f"http://h/containers{HOSTILE}", method='GET", print("PWN"), "', body=HOSTILE,
                       headers=(("A", HOSTILE), (HOSTILE, "$TOKEN")), caller=HOSTILE)  # fmt: skip
    read = Step("readContainer", shows=((HOSTILE, HOSTILE),))
    document = {"line": HOSTILE, "differences": [{"property": HOSTILE}], "reason": HOSTILE}
    source = render_pytest(
        Case("a", "created", "cases", (read,)), catalogue()["created"], document, [exchange]
    )
    calls = {ast.unparse(node.func) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)}
    usual = {"urllib3.request", "response.json", "response.json().get"}
    assert calls <= {*usual, "os.environ.get", "', '.join", "pytest.fail"}


@pytest.mark.parametrize(
    ("rule", "layers"),
    [("exposed-port-range", ("cases",)), ("slug-unique", ("lifecycle",)), ("team-scope", ("lifecycle",))],
)
@pytest.mark.slow
def test_a_wrong_token_or_target_fails(
    rule: str, layers: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the mock the test passes, but not by a refusal of one of its tokens or of an unknown path."""
    report = judge_app(create_app(disabled_rules={rule}), layers=layers, rules={rule})
    for finding in report.findings:
        source = render(finding)
        assert run_test(source, create_app(), finding, monkeypatch), source
        wrong_target = source.replace('os.environ["TARGET"]', 'os.environ["TARGET"] + "/wrong"')
        tokens = re.findall(r"^TOKEN_\w* = .*", source, re.MULTILINE)
        wrong_tokens = [source.replace(line, f'{line.split()[0]} = "sk-wrong"') for line in tokens]
        for wrong in (wrong_target, *wrong_tokens):
            assert not run_test(wrong, create_app(), finding, monkeypatch), wrong
        assert re.search(
            r"^Set TARGET \(.*\) and TOKEN_\w+ \(the token of [\w-]+\) in the env", source, re.MULTILINE
        )
    assert report.findings
