"""`Prefer: code=409, wait=2` (RFC 7240): a client asks for a status or a delay."""

import re
from dataclasses import replace

from mock_server.contract.model import Operation
from mock_server.faults.fault import MAX_DELAY_SECONDS, InjectedFault, declared_example, declared_statuses
from mock_server.web import responses
from mock_server.web.responses import Response

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARTS = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+', re.DOTALL)
# Possessive (*+): a long header is read once, whatever it holds.
_PREFERENCE = re.compile(
    rf'[ \t]*+({_WORD}+)[ \t]*+(?:=[ \t]*+(?:({_WORD}+)|"((?:[^"\\]|\\.)*+)")?+)?+[ \t]*+(?:;.*)?',
    re.DOTALL,
)
_SECONDS = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,3})?")


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


def preferred_fault(operation: Operation, header: str) -> InjectedFault | None:
    """Return the fault that the header asks for, which is a 400 for an invalid preference."""
    preferences = parse_preferences(header)
    code, wait = preferences.get("code"), preferences.get("wait")
    if code is None and wait is None:
        return None
    fault = InjectedFault()
    if wait is not None:
        if not _SECONDS.fullmatch(wait) or float(wait) > MAX_DELAY_SECONDS:
            return InjectedFault(_refuse_preference("wait", wait, f"seconds, from 0 to {MAX_DELAY_SECONDS}"))
        fault = replace(fault, delay=float(wait), preference_applied=f"wait={wait}")
    if code is not None:
        example = declared_example(operation, int(code)) if re.fullmatch("[0-9]{3}", code) else None
        if example is None:
            expected = f"a declared status: {', '.join(map(str, declared_statuses(operation)))}"
            return InjectedFault(_refuse_preference("code", code, expected))
        applied = ", ".join(filter(None, (f"code={code}", fault.preference_applied)))
        fault = replace(fault, response=example, preference_applied=applied)
    return fault


def _refuse_preference(name: str, value: str, expected: str) -> Response:
    actual = "another value" if value else "no value"  # which may be a token
    return responses.problem_response(400, f"Prefer: {name}: got {actual}, expected {expected}")
