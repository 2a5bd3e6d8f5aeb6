"""Blocks: findings with one cause, and the commands that send them again."""

import pytest

from contract_tests.cases.model import Case, OperationId, Step
from contract_tests.contract.rules import load_catalogue
from contract_tests.reports.content.blocks import Block, Reproduction
from contract_tests.results.findings import Finding
from contract_tests.targets.exchange import Exchange

RULE = load_catalogue()["exposed-port-range"]


def build_finding(caller: str, operation: OperationId) -> Finding:
    """Return a finding that a request of a caller showed."""
    headers = (("Authorization", "Bearer $TOKEN"),)
    exchange = Exchange(caller, "PUT", "http://h/containers/1", headers, "{}", 200, (), "", "", "", 0.1)
    case = Case("c", RULE.id, "cases", (Step(operation),))
    return Finding(
        caller, RULE, "failure", ("cases",), operation, "why", "received", "expected", case, (exchange,)
    )


@pytest.mark.parametrize(
    ("second", "variables"),
    [("jwt-red", ["$TOKEN_SK_RED", "$TOKEN_JWT_RED"]), ("sk-red", ["$TOKEN", "$TOKEN"])],
)
def test_two_callers_of_a_block_read_two_variables(second: str, variables: list[str]) -> None:
    """One variable cannot have the tokens of two callers; a single caller keeps the short name."""
    findings = (build_finding("sk-red", "createContainer"), build_finding(second, "updateContainer"))
    block, reproduction = Block(findings), Reproduction("out", "--target t")
    lines = ["\n".join(reproduction.commands(block, finding)) for finding in findings]
    assert all(f'"Authorization: Bearer {name}"' in line for name, line in zip(variables, lines, strict=True))
