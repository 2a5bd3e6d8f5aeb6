"""`Prefer: code=409, wait=2` (RFC 7240): a client asks for a status, the refusal of a rule, or a delay."""

import re
from collections.abc import Callable, Mapping

from mock_server.contract.model import Operation, Rule
from mock_server.contract.suggestions import suggest_name, suggestion_suffix
from mock_server.faults.fault import MAX_DELAY_SECONDS, InjectedFault, declared_response, declared_statuses
from mock_server.faults.refusals import Refusals
from mock_server.web import responses
from mock_server.web.responses import Response

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARTS = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+', re.DOTALL)
# Possessive (*+): a long header is read once, whatever it holds.
_PREFERENCE = re.compile(
    rf'[ \t]*+({_WORD}+)[ \t]*+(?:=[ \t]*+(?:({_WORD}+)|"((?:[^"\\]|\\.)*+)")?+)?+[ \t]*+(?:;.*)?',
    re.DOTALL,
)
#: In the order of `Preference-Applied`.
_NAMES: tuple[str, ...] = ("rule", "code", "wait")
#: Preferences of RFC 7240 and RFC 8144, which are no misspellings.
_REGISTERED = frozenset({"respond-async", "return", "handling", "depth-noroot"})
_MAX_REMARKS = 8
#: Values that look like ids of rules or statuses, so that a refusal may name them; any other may be a token.
_NAMEABLE = re.compile(r"(?!(?:sk|dk|ak)-)(?=.{1,40}\Z)[a-z]+(?:-[a-z]+)*|[0-9]{1,4}")
_SECONDS = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,3})?")


class _PreferenceError(ValueError):
    """A preference of the mock with a value that it does not take."""

    def __init__(self, name: str, value: str, expected: str) -> None:
        super().__init__(name)
        self._name, self._value, self._expected = name, value, expected

    def describe(self, redact: Callable[[str], str]) -> str:
        """Return the problem in a sentence, which names the value unless it may be a token."""
        nameable = _NAMEABLE.fullmatch(self._value) and redact(self._value) == self._value
        actual = repr(self._value) if nameable else "another value" if self._value else "no value"
        return f"{self._name}: got {actual}, expected {self._expected}"


def parse_preferences(header: str) -> dict[str, str]:
    """Return the preferences by name in lower case.

    Malformed preferences are ignored, and only the first of a name counts.
    """
    preferences: dict[str, str] = {}
    for part in _PARTS.findall(header):
        match = _PREFERENCE.fullmatch(part)
        if match is not None:
            quoted = re.sub(r"\\(.)", r"\1", match[3] or "", flags=re.DOTALL)
            preferences.setdefault(match[1].lower(), match[2] or quoted)
    return preferences


def find_misspelt(header: str) -> tuple[str, ...]:
    """Return a remark for each preference whose name is close to one of the mock's own; others are for others."""
    unknown = [name for name in parse_preferences(header) if name not in _NAMES and name not in _REGISTERED]
    found = ((name, suggest_name(name, _NAMES)) for name in unknown[:_MAX_REMARKS])
    return tuple(f"Prefer: {name} ({suggestion})" for name, suggestion in found if suggestion)


def preferred_fault(
    operation: Operation,
    header: str,
    refusals: Refusals,
    rules: Mapping[str, Rule],
    redact: Callable[[str], str],
) -> InjectedFault | None:
    """Return the fault that the header asks for, which is a 400 for an invalid preference.

    `redact` replaces the tokens in the value that the 400 names.
    """
    preferences = parse_preferences(header)
    known = {name: preferences[name] for name in _NAMES if name in preferences}
    if not known:
        return None
    try:
        response = _preferred_response(operation, known, refusals, rules)
        delay = _parse_wait(known["wait"]) if "wait" in known else 0.0
    except _PreferenceError as error:
        return InjectedFault(responses.problem_response(400, f"Prefer: {error.describe(redact)}"))
    applied = ", ".join(f"{name}={value}" for name, value in known.items())
    return InjectedFault(response, delay, preference_applied=applied, source="prefer")


def _preferred_response(
    operation: Operation, known: Mapping[str, str], refusals: Refusals, rules: Mapping[str, Rule]
) -> Response | None:
    """Return the response for `rule` and `code`, None without them; raise an error for an invalid one."""
    code, rule = known.get("code"), known.get("rule")
    status = int(code) if code is not None and re.fullmatch("[0-9]{3}", code) else None
    if rule is not None:
        if rule not in rules:
            raise _PreferenceError("rule", rule, f"the id of a rule{suggestion_suffix(rule, rules)}")
        if code is not None and status not in rules[rule].status:
            raise _PreferenceError(
                "code", code, f"a status of {rule}: {', '.join(map(str, rules[rule].status))}"
            )
        refusal = refusals.for_rule(operation, rule, status)
        if refusal is None:
            raise _PreferenceError("rule", rule, f"a rule that {operation.id} refuses requests with")
        return refusal
    if code is None:
        return None
    response = None if status is None else declared_response(operation, status, refusals)
    if response is None:
        expected = f"a declared status: {', '.join(map(str, declared_statuses(operation)))}"
        raise _PreferenceError("code", code, expected)
    return response


def _parse_wait(wait: str) -> float:
    if not _SECONDS.fullmatch(wait) or float(wait) > MAX_DELAY_SECONDS:
        raise _PreferenceError("wait", wait, f"seconds, from 0 to {MAX_DELAY_SECONDS}")
    return float(wait)
