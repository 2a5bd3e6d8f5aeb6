"""Blocks: findings with one cause, and the commands that send them again."""

from contract_tests.cases.model import Case, OperationId, Step
from contract_tests.contract.rules import load_catalogue
from contract_tests.reports.content.blocks import Reproduction
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


def test_each_caller_has_its_variable() -> None:
    """The name of a variable is the same in each report, whichever callers the other requests have."""
    findings = [build_finding("sk-red", "createContainer"), build_finding("jwt-red", "updateContainer")]
    reproduction = Reproduction("out", "--target t")
    lines = ["\n".join(reproduction.commands(finding)) for finding in findings]
    variables = ["$TOKEN_SK_RED", "$TOKEN_JWT_RED"]
    assert all(f'"Authorization: Bearer {name}"' in line for name, line in zip(variables, lines, strict=True))
