"""Judges recorded traffic without sending anything.

A refusal may depend on the caller or on the stored state, which a recording does not show. So a refusal proves
its rule only if the request alone breaks one. A refused valid request is inconclusive, and so is a response of which
the recording has only a part. Of a request of which it has only a part, the response alone is judged: a server error
is wrong whatever was sent, and so is a success without an id. The rules about stored state are not observed.
"""

import base64
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import Any

from contract_tests.cases.model import NO_SLUG, Case, Step
from contract_tests.contract.rules import Catalogue, Rule
from contract_tests.contract.spec import Spec
from contract_tests.generation.rounds import relabel_case
from contract_tests.results.judge import (
    REPEATED_ID,
    SUCCESS_RULES,
    Judgement,
    is_uuid,
    judge_response,
    read_id,
)
from contract_tests.results.observation import Observation
from contract_tests.results.recorded.recording import RecordedCall, Recording, read_calls
from contract_tests.results.recorded.request_rules import RequestReading, read_rules
from contract_tests.results.recorded.secrets import find_secrets
from contract_tests.targets.base import is_success
from contract_tests.targets.exchange import REDACTED, Redactor

_NO_RESPONSE = "the recording has no response"
_PART_OF_REQUEST = "the recording has only a part of the request"
_PART_OF_RESPONSE = "the recording has only a part of the response"
INCOMPLETE = (_NO_RESPONSE, _PART_OF_REQUEST, _PART_OF_RESPONSE)
_REFUSED = "refused, perhaps because of the caller or the stored state"


def judge_recording(recording: Recording, spec: Spec, catalogue: Catalogue) -> list[Observation]:
    """Judge every recorded call of the two operations, in the order of the recording."""
    judge = _RecordingJudge(catalogue)
    calls = list(read_calls(recording, spec))
    for call in calls:
        judge.observe(call)
    redactor = Redactor(set(find_secrets(recording.entries, own=recording.own)))
    # The clear ones come first: they show which rule is to blame where a request breaks several.
    judgements: dict[int, tuple[RequestReading, Judgement]] = {}
    for call, reading in sorted(zip(calls, judge.readings, strict=True), key=_count_suspects):
        judgements[call.number] = reading, judge.judge(call, reading)
    return [_build_observation(call, *judgements[call.number], redactor) for call in calls]


@dataclass(slots=True)
class _RecordingJudge:
    """Judges the calls of one recording, with the facts that earlier calls have shown."""

    catalogue: Catalogue
    readings: list[RequestReading] = field(default_factory=list)
    _types: dict[str, str] = field(default_factory=dict)
    _slugs_by_id: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _slugs: Counter[str] = field(default_factory=Counter)
    _violated: set[str] = field(default_factory=set)

    def observe(self, call: RecordedCall) -> None:
        """Read the next call, and remember what it created or may have changed."""
        stored_type = self._types.get(call.service or "", "external")
        reading = RequestReading((), (SUCCESS_RULES[call.operation],), "open")
        if call.whole_request:
            reading = read_rules(call, stored_type)
        self.readings.append(reading)
        body = reading.body if isinstance(reading.body, dict) else {}
        if call.service is not None:
            if "service_type" in body and is_success(call.response):
                self._types[call.service] = "external"  # perhaps: it allows more
            return
        slug = body.get("service_slug")
        if isinstance(slug, str):
            self._slugs[slug] += 1
        identifier = read_id(call.response) if call.whole_response else None
        if identifier:
            self._slugs_by_id[identifier].append(slug if isinstance(slug, str) else "")
            if call.whole_request:
                self._types[identifier] = str(body.get("service_type") or "deployed")

    def judge(self, call: RecordedCall, reading: RequestReading) -> Judgement:
        """Judge a call after all calls were observed."""
        success = SUCCESS_RULES[call.operation]
        rule = self.catalogue[self._choose_rule(call, reading)]
        if missing := _find_missing_part(call, reading, rule):
            return Judgement("inconclusive", success, missing)
        judgement = judge_response(rule, reading.expect, call.operation, call.response, call.service)
        if not call.whole_request and judgement.outcome != "violated":
            return Judgement("inconclusive", success, _PART_OF_REQUEST)
        if judgement.outcome == "violated" and judgement.reaction == "refused":
            # A documented status is certain only if the caller is known to be valid.
            if reading.expect == "accept" or not call.own:
                judgement = replace(judgement, outcome="inconclusive", reason=_REFUSED)
        elif call.service is None and self._repeats_id(call):
            judgement = replace(
                judgement, outcome="violated", rule="created", reason=REPEATED_ID, expected="a new id"
            )
        if judgement.outcome == "violated":
            self._violated.add(judgement.rule)
        return judgement

    def _repeats_id(self, call: RecordedCall) -> bool:
        """Return whether another create has the same id; other programs may record one create twice."""
        slugs = self._slugs_by_id.get(read_id(call.response) or "", [])
        return len(slugs if call.own else {*slugs} - {""}) > 1

    def _choose_rule(self, call: RecordedCall, reading: RequestReading) -> str:
        """Return the rule to blame: a broken one that other requests break alone, or the one in question."""
        if call.response.status < 500:
            return self._prefer_violated(reading.broken) or SUCCESS_RULES[call.operation]
        body = reading.body if isinstance(reading.body, dict) else {}
        if call.service is None and self._slugs[str(body.get("service_slug"))] > 1:
            return "slug-unique"
        if call.own and is_uuid(call.service) and call.service not in self._slugs_by_id:
            return "service-exists"
        return self._prefer_violated(reading.broken, reading.concerned)

    def _prefer_violated(self, broken: tuple[str, ...], concerned: tuple[str, ...] = ()) -> str:
        """Return a rule that other requests have shown to be violated, else the likeliest, not an assumed one."""
        known = next((rule for rule in (*broken, *concerned) if rule in self._violated), "")
        certain = (rule for rule in broken if self.catalogue[rule].grade != "assumed")
        return known or next(certain, "") or next(iter((*broken, *concerned)), "")


def _find_missing_part(call: RecordedCall, reading: RequestReading, rule: Rule) -> str:
    """Return which missing part of the recording leaves nothing to judge, or an empty string."""
    if call.response.status == 0:
        return _NO_RESPONSE
    if not is_success(call.response) or call.whole_response:
        return ""
    if not call.whole_request:
        return _PART_OF_REQUEST
    # The status alone shows that a wrong request was accepted; but what an assumed rule refuses may be.
    return "" if reading.expect == "refuse" and rule.grade != "assumed" else _PART_OF_RESPONSE


def _count_suspects(pair: tuple[RecordedCall, RequestReading]) -> int:
    """Return the number of rules that may be to blame for a wrong response."""
    call, reading = pair
    return len(reading.broken) + (len(reading.concerned) if call.response.status >= 500 else 0)


def _build_observation(
    call: RecordedCall, reading: RequestReading, judgement: Judgement, redactor: Redactor
) -> Observation:
    exchange = redactor.record_exchange(
        call.caller, "", call.request, redactor.redact_response(call.response)
    )
    exchange = replace(exchange, started=call.started or exchange.started, caller_kind=call.caller_kind)
    judgement = replace(judgement, received=redactor.redact_text(judgement.received))
    case = Case(f"recorded/{call.number}", judgement.rule, "wire", (_build_step(call, reading, redactor),))
    return Observation(case, judgement, (exchange,))


def _redact_value(value: Any, redactor: Redactor) -> Any:
    """Return a JSON value without secrets; a number that is or holds one becomes a string."""
    if isinstance(value, dict):
        return {redactor.redact_text(key): _redact_value(item, redactor) for key, item in value.items()}
    if isinstance(value, list):
        return [_redact_value(item, redactor) for item in value]
    if isinstance(value, str):
        return redactor.redact_text(value)
    text = json.dumps(value)
    hidden = redactor.redact_text(text)
    return value if hidden == text else hidden


def _build_step(call: RecordedCall, reading: RequestReading, redactor: Redactor) -> Step:
    """Return the step that sends a recorded request again, with a caller and a new slug of the new run."""
    step = Step(call.operation, service=call.service or "service", expect=reading.expect)
    if isinstance(reading.body, dict) and "body-keys" not in reading.broken:
        body = _redact_value(reading.body, redactor)
        (step,) = relabel_case(Case("", "", "wire", (step,)), body).steps
    elif call.request.body is not None:
        raw = {"$bytes": base64.b64encode(redactor.redact_bytes(call.request.body)).decode()}
        step = replace(step, raw=raw, slug=NO_SLUG if call.service is None else None)
    sent = {name.lower(): redactor.redact_text(value) for name, value in call.request.headers}
    headers = [(name, sent.get(name.lower())) for name in ("Content-Type", "X-Team-ID")]
    if reading.broken and reading.broken[0].startswith("auth-") and "authorization" in sent:
        headers.append(("Authorization", sent["authorization"].replace(REDACTED, "{token}")))
    elif reading.broken[:1] == ("auth-required",):
        headers.append(("Authorization", None))
    return replace(step, headers=tuple(headers), expect=reading.expect)
