"""`Prefer: code=409, wait=2` (RFC 7240): the one who calls says how it wants to be answered."""

import re
from dataclasses import replace

from mock_server.contract.model import Operation
from mock_server.faults.fault import MAX_DELAY_SECONDS, InjectedFault, declared_example, declared_statuses
from mock_server.web import responses
from mock_server.web.responses import Response

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARTS = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+', re.DOTALL)
_PREFERENCE = re.compile(
    rf'[ \t]*({_WORD})[ \t]*(?:=[ \t]*(?:({_WORD})|"((?:[^"\\]|\\.)*)")?)?[ \t]*(?:;.*)?', re.DOTALL
)
_SECONDS = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,3})?")


def parse_preferences(header: str) -> dict[str, str]:
    """The preferences by name in lower case; the first of a name counts, and what cannot be read does not."""
    found: dict[str, str] = {}
    for part in _PARTS.findall(header):
        match = _PREFERENCE.fullmatch(part)
        if match is not None:
            quoted = re.sub(r"\\(.)", r"\1", match[3] or "", flags=re.DOTALL)
            found.setdefault(match[1].lower(), match[2] or quoted)
    return found


def preferred_fault(operation: Operation, header: str) -> InjectedFault | None:
    """What the header asks for; a wish that cannot be granted is answered with 400 and what can."""
    wishes = parse_preferences(header)
    code, wait = wishes.get("code"), wishes.get("wait")
    if code is None and wait is None:
        return None
    effect = InjectedFault()
    if wait is not None:
        if not _SECONDS.fullmatch(wait) or float(wait) > MAX_DELAY_SECONDS:
            return InjectedFault(_refuse_preference("wait", wait, f"seconds, from 0 to {MAX_DELAY_SECONDS}"))
        effect = replace(effect, delay=float(wait), preference_applied=f"wait={wait}")
    if code is not None:
        given = declared_example(operation, int(code)) if re.fullmatch("[0-9]{3}", code) else None
        if given is None:
            there = ", ".join(map(str, declared_statuses(operation)))
            return InjectedFault(
                _refuse_preference("code", code, f"a status that the contract declares here: {there}")
            )
        applied = ", ".join(filter(None, (f"code={code}", effect.preference_applied)))
        effect = replace(effect, response=given, preference_applied=applied)
    return effect


def _refuse_preference(name: str, seen: str, wanted: str) -> Response:
    shown = ascii(seen[:40]) if seen else "no value"
    return responses.problem_response(400, f"Prefer: {name}: got {shown}, expected {wanted}")
