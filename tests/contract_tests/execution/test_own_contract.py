"""A run with a contract of the user judges by it where it differs from that of the kit."""

import re
from pathlib import Path

import pytest

from contract_tests.contract.resources import data_file
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.support.gate.gate import App, describe_findings

_RULE = "exposed-port-range"


@pytest.fixture(params=["maximum: 32767", "maximum: 70000"], ids=["tightened", "relaxed"])
def contract(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of the contract with another greatest port."""
    text = data_file("spec/openapi.yaml").read_text("utf-8")
    (tmp_path / "rules.yaml").write_bytes(data_file("spec/rules.yaml").read_bytes())
    own = tmp_path / "openapi.yaml"
    own.write_text(text.replace("maximum: 65535", request.param), "utf-8")
    return own


def judge_app(app: App, contract: Path) -> tuple[str, str]:
    """Return the verdict on the rule whose bound is changed, and the findings of all rules about ports."""
    executor = open_executor(WsgiTarget(app), options=ExecutorOptions(spec_path=contract))
    executor.late_reads.waits = ()
    options = RunOptions(layers=("cases", "wire", "lifecycle"), rules=frozenset({_RULE, "created-stored"}))
    report = Run(executor, options).execute()
    verdicts = {row.rule.id: row.verdict for row in report.verdicts}
    return verdicts[_RULE], describe_findings(report)


def test_a_server_with_the_bound_of_the_user_conforms(contract: Path) -> None:
    """A server that enforces the changed bound conforms, although cases of the kit rest on another one."""
    assert judge_app(create_app(spec=contract), contract) == ("conforms", "")


def test_a_server_with_the_bound_of_the_pages_does_not(contract: Path) -> None:
    """A server that enforces the bound of the pages breaks the rule of the user's contract."""
    assert judge_app(create_app(), contract)[0] == "violated"


def test_an_invalid_bound_is_named_with_its_file(contract: Path) -> None:
    """The message about a bound that is no JSON Schema names the file and the place in it."""
    contract.write_text(contract.read_text("utf-8").replace("maximum: 10\n", "maximum: ten\n"), "utf-8")
    with pytest.raises(
        ValueError, match=r"openapi\.yaml: createContainer/body/properties/replica_count/maximum"
    ):
        open_executor(WsgiTarget(create_app()), options=ExecutorOptions(spec_path=contract))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("x-rules: {type: service-desc-type}", "maxLength: 30\n      x-rules: {type: service-desc-type}",
         "maxLength names no rule; add x-rules: {maxLength: RULE}"),
        ("x-rules: {type: service-desc-type}", "x-rules: {type: desc-kind}",
         "x-rules names desc-kind, which is not in rules.yaml; add it there or correct the name"),
    ],
    ids=["no-rule", "unknown-rule"],
)  # fmt: skip
def test_a_constraint_without_a_rule_is_named(contract: Path, old: str, new: str, says: str) -> None:
    """Before anything is sent, the message names file, place and keyword, in the words of the mock."""
    contract.write_text(contract.read_text("utf-8").replace(old, new), "utf-8")
    with pytest.raises(ValueError, match=re.escape(f"createContainer/body/properties/service_desc: {says}")):
        open_executor(WsgiTarget(create_app()), options=ExecutorOptions(spec_path=contract))


def test_each_constraint_of_the_kit_names_its_rule(contract: Path) -> None:
    """The check of a user's contract finds nothing in one that changes a bound alone."""
    executor = open_executor(WsgiTarget(create_app()), options=ExecutorOptions(spec_path=contract))
    assert executor.own_contract
    assert set(executor.own_contract.checkers) == {"createContainer", "updateContainer"}
