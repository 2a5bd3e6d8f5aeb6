"""Advice: what to change in the deployment, for a finding in one sentence."""

from collections.abc import Iterable

from contract_tests.results.findings import Finding
from contract_tests.results.judge import REDIRECTED, SERVER_ERROR

_VERBS = {"createContainer": "create", "updateContainer": "update"}
_POINT_AT_LOG = "The log of the deployment has the cause."
_KEPT_RULES = ("update-keeps-omitted", "external-credential-null-keeps")
_IMMUTABLE_PROPERTIES = {"service-type-immutable": "service_type", "slug-immutable": "service_slug"}


def suggest_change(finding: Finding, others: Iterable[Finding] = ()) -> str:
    """Return what to change so that the finding, and ``others`` with the same cause, go away."""
    request = _name_request(finding, others)
    status = finding.exchanges[-1].status if finding.exchanges else 0
    if status >= 500 or finding.reason == SERVER_ERROR:
        if finding.rate and not finding.rate.shown:
            tries = f"the same request got no server error in {finding.rate.tries} further tries"
            return f"Look for the cause in the log of the deployment: {tries}."
        return (
            f"Handle this request without a server error: {_name_reaction(finding, request)}. {_POINT_AT_LOG}"
        )
    if finding.case.layer == "race":
        return _suggest_for_race(finding)
    if finding.reason == REDIRECTED:
        return "Serve the operation at this path, without a redirect."
    if finding.differences or finding.rule.id in _IMMUTABLE_PROPERTIES:
        return _suggest_for_stored_value(finding)
    if 200 <= status < 300:
        accepted = finding.case.expect != "refuse"
        return (
            f"Respond with {finding.expected}."
            if accepted
            else f"{_capitalize(_name_reaction(finding, request))}."
        )
    if finding.case.expect == "refuse":
        wanted = " or ".join(map(str, finding.rule.exact_status))
        return f"Keep the refusal, but respond with {wanted or 'a 4xx'} in place of {status}."
    return f"Accept {request}; the body of the response may say which check refuses it."


def _suggest_for_race(finding: Finding) -> str:
    if finding.operation == "createContainer":
        return (
            "Check and store the slug in one step, for example with a unique index, and refuse all creates "
            "but one with any 4xx."
        )
    return "Apply concurrent updates one after another, for example under a lock of the stored service."


def _suggest_for_stored_value(finding: Finding) -> str:
    """Return what to store; a type or a slug that changed shows in the reaction to a later request, too."""
    names = ", ".join(difference[0] for difference in finding.differences)
    if finding.rule.id in _KEPT_RULES:
        return f"Keep the stored value of {names} in an update that does not change it."
    if finding.rule.id in _IMMUTABLE_PROPERTIES:
        kept = _IMMUTABLE_PROPERTIES[finding.rule.id] if names in ("", "id") else names
        return f"Keep the stored value of {kept}, also in an update that names another."
    if names == "id":
        return "Show the service with the id that its create returned."
    if finding.rule.id.endswith("-default"):
        return f"Store the default of {names} where a create leaves it out, and show that value."
    return f"Store {names} as the accepted request says, and show that value."


def _name_reaction(finding: Finding, request: str) -> str:
    """Return the correct reaction as an instruction."""
    if finding.case.expect == "accept":
        return f"accept {request}"
    if finding.case.expect == "open":
        return f"accept or refuse {request}, as you choose"
    statuses = " or ".join(map(str, finding.rule.exact_status)) or "any 4xx"
    return f"respond with {statuses} to {request}, and store nothing"


def _name_request(finding: Finding, others: Iterable[Finding]) -> str:
    """Return the requests in question, with the value that was sent if there is one."""
    operations = dict.fromkeys(one.operation for one in (finding, *others))
    verbs = dict.fromkeys(_VERBS.get(operation, "request") for operation in operations)
    example = next(iter(finding.examples), None)
    if finding.story or example is None or not example.received:
        return f"such {_name_article(next(iter(verbs)))} {' or '.join(verbs)}"
    service = _name_service(finding) if finding.rule.stage == "state" else ""
    return f"{' or '.join(f'{_name_article(verb)} {verb}' for verb in verbs)}{service} with {example.sent}"


def _name_service(finding: Finding) -> str:
    """Return the type of the service that an update was refused or accepted for: the stored state decides."""
    if finding.operation != "updateContainer":
        return ""
    return f" of {'an external' if finding.case.service_type == 'external' else 'a deployed'} service"


def _name_article(verb: str) -> str:
    return "an" if verb == "update" else "a"


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]
