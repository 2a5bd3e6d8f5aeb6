"""Examples: the requests that showed one kind of violation, each in a few words."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from contract_tests.cases.model import Step
from contract_tests.contract.files.json_text import parse_json
from contract_tests.results.observation import Observation
from contract_tests.results.story import tell_story
from contract_tests.targets.exchange import Exchange

MAX_EXAMPLES = 5
_MAX_TEXT, _MAX_BYTES = 60, 16

#: The part of a request that a rule is about, by the start of the rule's id.
_HEADERS = {"auth": "Authorization", "team": "X-Team-ID", "body-media-type": "Content-Type"}
_PROPERTIES = {
    "external-credential": "external_auth_credential_id",
    "env-name": "env_config",
    "env-value": "env_config",
    "host-path": "volume_config",
    "container-path": "volume_config",
}
#: Spellings of a JSON body, in words.
_STYLES = {
    "indented": ("a body of many lines",),
    "escaped": ("a body whose characters are escaped",),
    "reversed": ("a body with its keys in the opposite order",),
}


@dataclass(frozen=True, slots=True)
class Example:
    """What was sent, or what happened, and what was received."""

    sent: str
    received: str


def describe_example(observation: Observation) -> Example:
    """Return an observation in a few words: the value, header or body in question, and the response to it."""
    judgement, exchanges = observation.judgement, observation.exchanges
    if judgement.differences:
        name, *texts = judgement.differences[0]
        received, expected = _shorten_apart(*texts)
        return Example(f"{name} {expected}", f"{received} in the read-back")
    if story := tell_story(observation.case, exchanges, judgement):
        return Example(story.partition("; ")[0].rstrip("."), "")  # without what is correct
    if not exchanges:
        return Example(observation.case.id, judgement.received)
    status = exchanges[-1].status
    return Example(
        _describe_request(judgement.rule, observation, exchanges[-1]), str(status or "no response")
    )


def merge_examples(first: Iterable[Example], second: Iterable[Example]) -> tuple[Example, ...]:
    """Return the examples of both without repeats, up to a small number."""
    by_text = {example.sent: example for example in (*second, *first)}
    ordered = dict.fromkeys(example.sent for example in (*first, *second))
    return tuple(by_text[text] for text in ordered)[:MAX_EXAMPLES]


def _describe_request(rule: str, observation: Observation, exchange: Exchange) -> str:
    if rule == "team-scope":
        return f"the id of another team's service, as {exchange.caller}"
    header = next((name for start, name in _HEADERS.items() if rule.startswith(start)), "")
    if header:
        return _describe_header(header, exchange)
    if rule in ("service-id-format", "service-exists"):
        return f"the id {_shorten(exchange.url.rpartition('/')[2])}"
    raw = observation.case.steps[-1].raw
    if isinstance(raw, dict) and "$nested" in raw:
        return f"a body nested {raw['$nested']['depth']:,} deep"
    body = _parse_body(exchange)
    name = observation.case.value[2] if observation.case.value else _find_property(rule, body)
    blind = observation.judgement.server_error and not observation.case.value  # any part may be the cause
    if name and isinstance(body, dict) and (name in body or not (body and blind)):
        return f"{name} {describe_value(body[name])}" if name in body else f"no {name}"
    return _describe_form(observation.case.steps[-1]) or _describe_body(exchange)


def describe_value(value: Any) -> str:
    """Return a value as JSON; a long one is cut, with its length, and an array in its middle.

    The last item of an array is often the wrong one.
    """
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= _MAX_TEXT:
        return text
    if isinstance(value, list):
        start = _MAX_TEXT // 3
        return (
            f"{text[:start]}…{text[start + 1 - _MAX_TEXT :]} ({len(value):,} item{'s' * (len(value) != 1)})"
        )
    size = f" ({len(value):,} characters)" if isinstance(value, str) else ""
    return f"{_shorten(text)}{size}"


def _describe_form(step: Step) -> str:
    """Return the headers that a step adds, and the spelling of its body; an empty string for a usual form."""
    headers = ", ".join(f"{name}: {value}" for name, value in step.headers if value is not None)
    forms = [*([_shorten(headers)] if headers else []), *_STYLES.get(step.style, ())]
    return " and ".join(forms)


def _describe_body(exchange: Exchange) -> str:
    if not exchange.body:
        return "no body" if exchange.body is None else "an empty body"
    data = exchange.body_bytes
    if data is None:
        return f"the body {_shorten(exchange.body)} (cut)"
    if exchange.raw_body and not exchange.body_cut:
        return f"the bytes {data[:_MAX_BYTES].hex(' ')}{'…' if len(data) > _MAX_BYTES else ''}"
    size = f" ({len(data):,} bytes)" if len(exchange.body) > _MAX_TEXT else ""
    return f"the body {_shorten(exchange.body)}{size}"


def _describe_header(name: str, exchange: Exchange) -> str:
    value = next((v for n, v in exchange.headers if n.lower() == name.lower()), None)
    shown = f"no {name}" if value is None else f"{name}: {_shorten(value)}" if value else f"an empty {name}"
    return f"{shown}, as {exchange.caller}"


def _find_property(rule: str, body: Any) -> str:
    """Return the property that a rule is about, or an empty string."""
    for start, name in _PROPERTIES.items():
        if rule.startswith(start):
            return name
    names = (
        [name for name in body if isinstance(name, str) and rule.startswith(f"{name.replace('_', '-')}-")]
        if (isinstance(body, dict))
        else []
    )
    if names:
        return max(names, key=len)
    return rule.removesuffix("-required").replace("-", "_") if rule.endswith("-required") else ""


def _parse_body(exchange: Exchange) -> Any:
    try:
        return parse_json(exchange.body or "")
    except ValueError:
        return None


def _shorten_apart(one: str, other: str) -> tuple[str, str]:
    """Shorten two texts; where their beginnings are equal, both begin shortly before they differ."""
    shared = [*takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))]
    start = len(shared) - _MAX_TEXT // 2
    if start <= 0 or _shorten(one) != _shorten(other):
        return _shorten(one), _shorten(other)
    return _shorten(f"…{one[start:]}"), _shorten(f"…{other[start:]}")


def _shorten(text: str) -> str:
    line = text.replace("\n", "\\n")
    return line if len(line) <= _MAX_TEXT else f"{line[: _MAX_TEXT - 1]}…"
