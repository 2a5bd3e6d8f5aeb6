"""Siblings: each finding comes with its nearest request that behaved, and the line of the contract between them."""

import pytest

from contract_tests.cases.model import Case, Step
from contract_tests.contract.lines import find_rule_line
from contract_tests.diagnosis.siblings import add_sibling
from mock_server import create_app
from tests.quality.faults import FAULTS
from tests.support.gate.gate import judge_app, open_app_executor
from tests.support.sampling import keep_first


def find_pairs(name: str) -> set[tuple[str, str]]:
    """Return line and edit of each finding of a planted fault."""
    fault = next(fault for fault in FAULTS if fault.name == name)
    findings = judge_app(fault.app()).findings
    return {
        (finding.line.partition(":")[0], finding.sibling.edit if finding.sibling else "")
        for finding in findings
    }


#: The file of the contract and the edit of the nearest request that behaved, by the name of a planted fault.
EDITS = {
    "image-not-required-for-dk": ("spec/openapi.yaml", 'docker_image: left out -> "nginx:1.27"'),
    "slug-unique-not-for-blue": ("spec/rules.yaml", "another slug"),
    "update-while-deploying": ("spec/rules.yaml", "without the status deploying"),
    "null-clears-the-credential": ("spec/rules.yaml", "without request 3, an update"),
    "jwt-may-not-update": ("spec/rules.yaml", "by sk-red in place of jwt-red"),
    "create-answers-no-body-on-external": (
        "spec/openapi.yaml",
        "the plain request for a service of type deployed",
    ),
    "port-text-taken-on-update": ("spec/openapi.yaml", 'exposed_port: "8080" -> 8080'),
    "not-while-busy-not-the-third-time": ("spec/rules.yaml", "without the status deploying"),
    "replica-default-not-stored": ("spec/openapi.yaml", "replica_count: left out -> 1"),
    "update-of-nothing-answers-no-content": ("spec/openapi.yaml", "a display_name in the body"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", keep_first(6, EDITS))
def test_the_sibling_is_one_edit_apart(name: str) -> None:
    """The edit names the property, the slug, the status or the caller that makes the difference."""
    assert EDITS[name] in find_pairs(name)


@pytest.mark.slow
def test_a_conforming_deployment_has_no_pairs() -> None:
    """Nothing is looked for where nothing is wrong: the run sends as many requests as without siblings."""
    report = judge_app(create_app())
    assert report.findings == ()


@pytest.mark.parametrize("caller", ["blue", "jwt-red"])
def test_a_request_that_breaks_the_rule_too_is_no_sibling(caller: str) -> None:
    """That another caller is answered just as wrongly says nothing."""
    executor = open_app_executor(create_app(disabled_rules={"replica-count-range"}))
    body = {
        "display_name": "",
        "service_type": "external",
        "external_url": "https://a.io",
        "docker_image": "",
    }
    step = Step(caller=caller, body={**body, "replica_count": 11}, as_is=True, expect="refuse")
    case = Case("property/create-1", "replica-count-range", "properties", (step,))
    observation = executor.run_case(case)
    assert observation.judgement.outcome == "violated"
    assert add_sibling(executor, observation).sibling is None


def test_an_empty_update_is_refused_for_another_reason_than_its_body() -> None:
    """Of an update of another team's service, one with a display_name is as wrong, and one by its owner is right."""
    executor = open_app_executor(create_app(disabled_rules={"team-scope"}))
    create = Step(caller="blue", body={"display_name": "", "docker_image": "nginx"})
    update = Step("updateContainer", caller="red", body={}, expect="refuse")
    observation = executor.run_case(Case("scope", "team-scope", "lifecycle", (create, update)))
    assert observation.judgement.outcome == "violated"
    sibling = add_sibling(executor, observation).sibling
    assert sibling
    assert sibling.edit == "by sk-blue in place of sk-red"


def test_an_agent_key_is_refused_whatever_its_team() -> None:
    """Of a create by an agent key for a team, one by the same key without the team is as wrong."""
    executor = open_app_executor(create_app(disabled_rules={"auth-agent"}))
    body = {"display_name": "", "docker_image": "nginx"}
    step = Step(caller="ak-red", team="red", body=body, expect="refuse")
    observation = executor.run_case(Case("agent", "auth-agent", "wire", (step,)))
    assert observation.judgement.outcome == "violated"
    sibling = add_sibling(executor, observation).sibling
    assert sibling
    assert sibling.edit == "by sk-red in place of ak-red"


@pytest.mark.parametrize(
    ("rule", "header"), [("team-required-for-jwt", "X-Team-ID"), ("auth-required", "Authorization")]
)
def test_a_request_without_a_header_behaves_with_the_usual_headers(rule: str, header: str) -> None:
    """Of a request that lacks a header, the sibling has it: no reader is told to send fewer headers."""
    executor = open_app_executor(create_app(disabled_rules={rule}))
    body = {"display_name": "", "docker_image": "nginx"}
    step = Step(caller="jwt-red", body=body, headers=((header, None),), expect="refuse")
    observation = executor.run_case(Case("bare", rule, "wire", (step,)))
    assert observation.judgement.outcome == "violated"
    sibling = add_sibling(executor, observation).sibling
    assert sibling
    assert sibling.edit == "the usual headers"
    assert header in dict(sibling.exchanges[-1].headers)


def test_a_line_is_that_of_the_keyword_that_the_value_crosses() -> None:
    """Of a minimum and a maximum, the one that is nearer to the value is named."""
    below, above = (find_rule_line("exposed-port-range", "createContainer", value) for value in (0, 65536))
    assert int(above.partition(":")[2]) == int(below.partition(":")[2]) + 1


def test_a_rule_without_a_keyword_is_named_in_the_catalogue() -> None:
    """Rules that no schema can express have a line in rules.yaml; an unknown rule has none."""
    assert find_rule_line("slug-unique", "createContainer").startswith("spec/rules.yaml:")
    assert find_rule_line("no-such-rule", "createContainer") == ""
