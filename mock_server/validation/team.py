"""The team stage: `X-Team-ID` and the caller become the id of a team, or violations. One function per rule."""

from collections.abc import Callable

from mock_server.contract.model import Contract, Mismatch, Operation, Parameter, Violation
from mock_server.validation import schema
from mock_server.validation.callers import CREDENTIAL_KINDS, UUID_PATTERN, Caller
from mock_server.validation.request import Request

TEAM_HEADER = "X-Team-ID"
#: The same in title case, as in `Request.headers`.
TEAM_FIELD = TEAM_HEADER.title()
_POINTER = f"/{TEAM_HEADER}"


def team_required_for_jwt(header: str | None, caller: Caller) -> Mismatch | None:
    """Refuse a JWT caller that names no team."""
    if header is not None or caller.kind in CREDENTIAL_KINDS:
        return None
    expected = "the UUID of one of the caller's teams, which every token except an sk- or dk- key must name"
    return Mismatch("header", _POINTER, "no such header", expected)


def team_member(header: str | None, caller: Caller) -> Mismatch | None:
    """Refuse a caller that does not belong to the team it names. The format of the header is another rule."""
    if header is None or not UUID_PATTERN.fullmatch(header) or not caller.teams:
        return None
    if header.lower() in caller.teams:
        return None
    actual, expected = "a team that the caller does not belong to", "one of the caller's teams"
    return Mismatch("header", _POINTER, actual, expected)


#: Checked after the header's own schema.
TEAM_CHECKS: tuple[tuple[str, Callable[[str | None, Caller], Mismatch | None]], ...] = (
    ("team-required-for-jwt", team_required_for_jwt),
    ("team-member", team_member),
)


def team_ignored_for_credentials(caller: Caller) -> str | None:
    """Return the team of a credential, whatever the header says; None for a JWT caller."""
    return caller.teams[0] if caller.kind in CREDENTIAL_KINDS else None


#: Accepted, and so without a check; listed because every rule has its function.
TEAM_PERMISSIONS = (("team-ignored-for-credentials", team_ignored_for_credentials),)


def find_team(
    contract: Contract, operation: Operation, request: Request, caller: Caller
) -> str | list[Violation]:
    """Return the id of the team that the request acts for, or the violations that refuse it."""
    parameter, header = _find_parameter(operation), request.headers.get(TEAM_FIELD)
    if header == "" and contract.chosen("empty-team", "missing"):
        header = None
    credential_team = team_ignored_for_credentials(caller)
    if credential_team is not None and header is None and parameter is not None and parameter.required:
        missing = Mismatch("header", _POINTER, "no such header", "the UUID of a team")
        return [Violation(contract.rule(parameter.required_rule), missing)]
    if credential_team is not None and contract.rule_enabled("team-ignored-for-credentials"):
        return credential_team
    violations = _check_header(contract, parameter, header)
    if violations:
        return violations
    for rule, check in TEAM_CHECKS:
        mismatch = check(header, caller)
        if mismatch and contract.rule_enabled(rule):
            return [Violation(contract.rule(rule), mismatch)]
    if header is not None and UUID_PATTERN.fullmatch(header):
        return header.lower()
    return (caller.teams or ("",))[0]


def _check_header(contract: Contract, parameter: Parameter | None, header: str | None) -> list[Violation]:
    if parameter is None or header is None:
        return []
    return schema.check_value(contract, parameter.schema, header, "header", _POINTER)


def _find_parameter(operation: Operation) -> Parameter | None:
    for parameter in operation.parameters:
        if parameter.location == "header" and parameter.name.lower() == TEAM_HEADER.lower():
            return parameter
    return None
