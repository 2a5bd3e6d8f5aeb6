"""Plays the fixtures as fixtures/README.md describes them, on anything that sends a request."""

import itertools
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "/api/v1"
_SLUGS = (f"f{number:07x}" for number in itertools.count(1))


def load(name: str) -> Any:
    """The content of a fixture or spec file."""
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


CALLERS = load("fixtures/callers.yaml")
BODIES = load("fixtures/bodies.yaml")
RULES = {rule["id"]: rule for rule in load("spec/rules.yaml")["rules"]}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


#: Sends method, path, headers and body.
Send = Callable[[str, str, Mapping[str, str], bytes], Reply]


@dataclass(frozen=True, slots=True)
class Case:
    """A trace of steps; the last one judges the rule."""

    id: str
    rule: str
    operation: str
    expect: str
    steps: tuple[Mapping[str, Any], ...] = field(repr=False)


def cases() -> list[Case]:
    """Every case of the fixtures: requests, traces, and the value tables written out."""
    written = [_written(entry) for entry in (*load("fixtures/requests.yaml"), *load("fixtures/state.yaml"))]
    return [*written, *_tabled(load("fixtures/shape.yaml"))]


def _written(entry: Mapping[str, Any]) -> Case:
    outer = {"id", "rule", "given", "steps"}
    given = ({"body": entry["given"]},) if "given" in entry else ()
    steps = entry.get("steps") or [{key: value for key, value in entry.items() if key not in outer}]
    last = steps[-1]
    operation = last.get("operation", "createContainer")
    return Case(entry["id"], entry["rule"], operation, last.get("expect", "accept"), (*given, *steps))


def _tabled(tables: list[Mapping[str, Any]]) -> Iterator[Case]:
    for row, table in enumerate(tables, start=1):
        operations = table.get("operations") or RULES[table["rule"]]["operations"]
        for operation in operations:
            for expect in ("refuse", "accept", "open"):
                for number, value in enumerate(table.get(expect, ()), start=1):
                    short = "create" if operation == "createContainer" else "update"
                    name = f"{table['rule']}-{row}-{short}-{expect}-{number}"
                    step = _with_value(operation, table, value, expect)
                    given = ({"body": table.get("body", "deployed")},) if short == "update" else ()
                    yield Case(name, table["rule"], operation, expect, (*given, step))


def _with_value(operation: str, table: Mapping[str, Any], value: Any, expect: str) -> dict[str, Any]:
    name = table["property"]
    body = table.get("body", "deployed") if operation == "createContainer" else "empty"
    if isinstance(value, dict) and value.get("absent"):
        return {"operation": operation, "body": body, "unset": [name], "expect": expect}
    return {"operation": operation, "body": body, "set": {name: value}, "expect": expect}


class Play:
    """One case being played: the labels of its slugs and services."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._slugs: dict[str, str] = {}
        self._services: dict[str, tuple[str, str]] = {}

    def judge(self, case: Case) -> str:
        """What is wrong with how a case goes; empty where nothing is."""
        reply = self.run(case)
        accepted = case.expect == "accept" and reply.status // 100 == 2
        if accepted and case.operation == "updateContainer":
            service = self._services[case.steps[-1].get("service", "service")][0]
            return "" if reply.json().get("id") == service else f"another id: {reply.body!r}"
        if accepted and case.operation == "createContainer" and not _is_uuid(reply.json().get("id")):
            return f"no id: {reply.body!r}"
        return verdict(case, reply)

    def run(self, case: Case) -> Reply:
        """The reply to the last step; the steps before it must go as they say."""
        for step in case.steps[:-1]:
            reply = self.step(step)
            expected = {"accept": (2,), "refuse": (4,), "open": (2, 4)}[step.get("expect", "accept")]
            assert reply.status // 100 in expected, (case.id, step, reply)
        return self.step(case.steps[-1])

    def step(self, step: Mapping[str, Any]) -> Reply:
        """The reply to one step."""
        operation = step.get("operation", "createContainer")
        if operation == "setStatus":
            service = self._services["service"][0]
            return self._send("PUT", f"/_mock/services/{service}/status/{step['status']}", {}, b"")
        headers = self._headers(step)
        if operation == "readContainer":
            _, slug = self._services[step.get("service", "service")]
            headers.pop("Content-Type")
            return self._send("GET", f"{PREFIX}/r/containers/{slug}", headers, b"")
        if operation == "updateContainer":
            label = step.get("service", "service")
            service = self._services.get(label, (label,))[0]
            return self._send("PUT", f"{PREFIX}/containers/{service}", headers, self._body(step, operation))
        return self._create(step, headers)

    def _create(self, step: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
        body = self._body(step, "createContainer")
        reply = self._send("POST", f"{PREFIX}/containers", headers, body)
        sent = None if "raw" in step else json.loads(body)
        if reply.status // 100 == 2 and isinstance(sent, dict):
            self._services[step.get("as", "service")] = (
                reply.json().get("id", ""),
                sent.get("service_slug", ""),
            )
        return reply

    def _headers(self, step: Mapping[str, Any]) -> dict[str, str]:
        name = step.get("caller", "sk-red")
        known = next((caller for caller in CALLERS["callers"] if caller["name"] == name), None)
        token = known["token"] if known else f"sk-{uuid.uuid4().hex}"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        team = step.get("team") or ("red" if known and known["kind"] == "jwt" else None)
        if team:
            headers["X-Team-ID"] = CALLERS["teams"][team]
        for header, value in step.get("headers", {}).items():
            headers.pop(header, None)
            if value is not None:
                teams = {f"{{team.{label}}}": team for label, team in CALLERS["teams"].items()}
                for hole, filled in {**teams, "{token}": token}.items():
                    value = value.replace(hole, filled)
                headers[header] = value
        return headers

    def _body(self, step: Mapping[str, Any], operation: str) -> bytes:
        if "raw" in step:
            return self._raw(step["raw"])
        create = operation == "createContainer"
        named = step.get("body", "deployed" if create else "empty")
        body = BODIES.get(named, named) if isinstance(named, str) else named
        if isinstance(body, dict):
            fresh = {"service_slug": self._slug(step)} if create or "slug" in step else {}
            body = {**fresh, **body, **made(step.get("set", {}))}
            body = {key: value for key, value in body.items() if key not in step.get("unset", ())}
        return json.dumps(body).encode()

    def _raw(self, raw: Any) -> bytes:
        slug = next(_SLUGS)
        if isinstance(raw, str):
            return raw.replace("{slug}", slug).encode()
        if "$latin1" in raw:
            return str(raw["$latin1"]).replace("{slug}", slug).encode("latin-1")
        nested = raw["$nested"]
        deep = nested["open"] * nested["depth"] + "null" + nested["close"] * nested["depth"]
        start = f'{{"service_slug": "{slug}", "display_name": "a", "docker_image": "n", "deep": '
        return f"{nested.get('start', start)}{deep}}}".encode()

    def _slug(self, step: Mapping[str, Any]) -> str:
        if "slug" not in step:
            return next(_SLUGS)
        return self._slugs.setdefault(step["slug"], next(_SLUGS))


def made(value: Any) -> Any:
    """A value with its made parts filled in."""
    if isinstance(value, list):
        return [made(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$text" in value:
        text = value["$text"]
        return (text["start"] + text["fill"] * text["length"])[: text["length"]]
    if "$slug" in value:
        wanted = value["$slug"]
        start, end = wanted.get("start", ""), wanted.get("end", "")
        return start + _slug_of(wanted["length"] - len(start + end)) + end
    if "$repeat" in value:
        return [made(value["$repeat"]["value"])] * value["$repeat"]["count"]
    return {key: made(item) for key, item in value.items()}


def _slug_of(length: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    number, text = uuid.uuid4().int, ""
    while len(text) < length:
        number, digit = divmod(number, 36)
        text += digits[digit]
    return text


def _is_uuid(value: Any) -> bool:
    return isinstance(value, str) and str(uuid.UUID(value)) == value


def verdict(case: Case, reply: Reply) -> str:
    """What is wrong with the reply of the mock to the last step of a case; empty where nothing is."""
    rule = RULES[case.rule]
    if case.expect == "open":
        return "" if reply.status < 500 else f"{reply.status}"
    if case.expect == "accept":
        wrong = reply.status // 100 != 2 or not _shows(case.steps[-1].get("shows", {}), reply)
        return f"{reply.status} {reply.body[:400]!r}" if wrong else ""
    statuses = [409] if case.rule == "slug-immutable" else rule.get("status", [400])[:1]
    broken = [violation["rule"] for violation in reply.json().get("violations", ())]
    expected = refusers(case)
    own = {case.rule} & expected or expected
    right = reply.status in statuses and broken and expected >= {*broken} and {*broken} & own
    return "" if right else f"{reply.status} {broken}, expected {statuses} {expected}"


def refusers(case: Case) -> set[str]:
    """The rules that may be named in the refusal of a case: its own, but for a few."""
    if case.rule.endswith("-required") and None in case.steps[-1].get("set", {}).values():
        return {case.rule.replace("-required", "-type")}
    return REFUSED_BY.get(case.rule, {case.rule})


#: An effect is seen by another rule's refusal; what does not begin with https:// need not be a URI either;
#: a type that is not external needs an image, whatever else it is.
REFUSED_BY = {
    "service-type-enum": {"service-type-enum", "docker-image-required"},
    "service-type-immutable": {"external-url-on-external-only"},
    "slug-immutable": {"slug-unique"},
    "external-url-pattern": {"external-url-pattern", "external-url-format"},
}


def _shows(shows: Mapping[str, Any], reply: Reply) -> bool:
    if not shows:
        return True
    body = reply.json()
    return all(body.get(name) == value for name, value in shows.items())
