"""Plays the fixtures as fixtures/README.md describes them, on any function that sends a request."""

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
    """Return the content of a YAML file of the project."""
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


CALLERS = load("fixtures/callers.yaml")
BODIES = load("fixtures/bodies.yaml")
RULES = {rule["id"]: rule for rule in load("spec/rules.yaml")["rules"]}


@dataclass(frozen=True, slots=True)
class Response:
    """A response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


#: Sends method, path, headers and body.
Send = Callable[[str, str, Mapping[str, str], bytes], Response]


@dataclass(frozen=True, slots=True)
class Case:
    """A trace of steps; the last one decides the rule."""

    id: str
    rule: str
    operation: str
    expect: str
    steps: tuple[Mapping[str, Any], ...] = field(repr=False)


def cases() -> list[Case]:
    """Return every case of the fixtures: requests, traces and value tables."""
    parsed_cases = [
        _parse_case(entry) for entry in (*load("fixtures/requests.yaml"), *load("fixtures/state.yaml"))
    ]
    return [*parsed_cases, *_iter_table_cases(load("fixtures/shape.yaml"))]


def _parse_case(entry: Mapping[str, Any]) -> Case:
    case_keys = {"id", "rule", "given", "steps"}
    setup = ({"body": entry["given"]},) if "given" in entry else ()
    steps = entry.get("steps") or [{key: value for key, value in entry.items() if key not in case_keys}]
    last = steps[-1]
    operation = last.get("operation", "createContainer")
    return Case(entry["id"], entry["rule"], operation, last.get("expect", "accept"), (*setup, *steps))


def _iter_table_cases(tables: list[Mapping[str, Any]]) -> Iterator[Case]:
    for row, table in enumerate(tables, start=1):
        operations = table.get("operations") or RULES[table["rule"]]["operations"]
        for operation in operations:
            for expect in ("refuse", "accept", "open"):
                for number, value in enumerate(table.get(expect, ()), start=1):
                    short = "create" if operation == "createContainer" else "update"
                    name = f"{table['rule']}-{row}-{short}-{expect}-{number}"
                    step = _build_step(operation, table, value, expect)
                    setup = ({"body": table.get("body", "deployed")},) if short == "update" else ()
                    yield Case(name, table["rule"], operation, expect, (*setup, step))


def _build_step(operation: str, table: Mapping[str, Any], value: Any, expect: str) -> dict[str, Any]:
    name = table["property"]
    body = table.get("body", "deployed") if operation == "createContainer" else "empty"
    if isinstance(value, dict) and value.get("absent"):
        return {"operation": operation, "body": body, "unset": [name], "expect": expect}
    return {"operation": operation, "body": body, "set": {name: value}, "expect": expect}


class FixturePlayer:
    """Plays one case, and remembers its slugs and services by label."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._slugs: dict[str, str] = {}
        self._services: dict[str, tuple[str, str]] = {}

    def judge(self, case: Case) -> str:
        """Return the problem with a case, or an empty text."""
        response = self.run(case)
        is_accepted = case.expect == "accept" and response.status // 100 == 2
        if is_accepted and case.operation == "updateContainer":
            service = self._services[case.steps[-1].get("service", "service")][0]
            return "" if response.json().get("id") == service else f"another id: {response.body!r}"
        if is_accepted and case.operation == "createContainer" and not _is_uuid(response.json().get("id")):
            return f"no id: {response.body!r}"
        return find_problem(case, response)

    def run(self, case: Case) -> Response:
        """Return the response to the last step; the steps before it must succeed as they say."""
        for step in case.steps[:-1]:
            response = self.step(step)
            expected = {"accept": (2,), "refuse": (4,), "open": (2, 4)}[step.get("expect", "accept")]
            assert response.status // 100 in expected, (case.id, step, response)
        return self.step(case.steps[-1])

    def step(self, step: Mapping[str, Any]) -> Response:
        """Return the response to one step."""
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
            path = step.get("path", "{id}").replace("{id}", service)
            return self._send("PUT", f"{PREFIX}/containers/{path}", headers, self._body(step, operation))
        return self._create(step, headers)

    def _create(self, step: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
        body = self._body(step, "createContainer")
        response = self._send("POST", f"{PREFIX}/containers", headers, body)
        values = None if isinstance(step.get("raw"), dict) else _parse_json(body)
        if response.status // 100 == 2 and isinstance(values, dict):
            self._services[step.get("as", "service")] = (
                response.json().get("id", ""),
                values.get("service_slug", ""),
            )
        return response

    def _headers(self, step: Mapping[str, Any]) -> dict[str, str]:
        name = step.get("caller", "sk-red")
        caller = next((caller for caller in CALLERS["callers"] if caller["name"] == name), None)
        unknown = {"unknown-dk": "dk-", "unknown-jwt": "eyJhbGciOiJub25lIn0.e30."}.get(name, "sk-")
        token = caller["token"] if caller else f"{unknown}{uuid.uuid4().hex}"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        team = step.get("team") or ("red" if caller and caller["kind"] == "jwt" else None)
        if team:
            headers["X-Team-ID"] = CALLERS["teams"][team]
        for header, value in step.get("headers", {}).items():
            headers.pop(header, None)
            if value is not None:
                teams = {f"{{team.{label}}}": team for label, team in CALLERS["teams"].items()}
                tokens = {
                    "{token}": token,
                    "{token.swapped}": token.swapcase(),
                    "{token.cut}": token[:-1],
                }
                for placeholder, replacement in {**teams, **tokens}.items():
                    value = value.replace(placeholder, replacement)
                headers[header] = value
        return headers

    def _body(self, step: Mapping[str, Any], operation: str) -> bytes:
        if "raw" in step:
            return self._raw(step["raw"])
        is_create = operation == "createContainer"
        base = step.get("body", "deployed" if is_create else "empty")
        body = BODIES.get(base, base) if isinstance(base, str) else base
        if isinstance(body, dict):
            fresh = {"service_slug": self._slug(step)} if is_create or "slug" in step else {}
            body = {**fresh, **body, **expand_value(self._fill_labels(step.get("set", {})))}
            body = {key: value for key, value in body.items() if key not in step.get("unset", ())}
        return json.dumps(body).encode()

    def _fill_labels(self, values: Mapping[str, Any]) -> dict[str, Any]:
        filled = dict(values)
        for name, value in values.items():
            if isinstance(value, dict) and "$id" in value:
                filled[name] = self._services[value["$id"]][0]
            elif isinstance(value, dict) and "$near" in value:
                near = value["$near"]
                stem, end = self._slugs.setdefault(near["label"], next(_SLUGS)), near["end"]
                stem = stem.ljust(100 - len(end), "0") if near["length"] == 100 else stem
                filled[name] = near.get("start", "") + stem + end
        return filled

    def _raw(self, template: Any) -> bytes:
        slug = next(_SLUGS)
        if isinstance(template, str):
            return template.replace("{slug}", slug).encode()
        if "$latin1" in template:
            return str(template["$latin1"]).replace("{slug}", slug).encode("latin-1")
        nested = template["$nested"]
        deep = nested["open"] * nested["depth"] + "null" + nested["close"] * nested["depth"]
        start = f'{{"service_slug": "{slug}", "display_name": "a", "docker_image": "n", "deep": '
        return f"{nested.get('start', start)}{deep}}}".encode()

    def _slug(self, step: Mapping[str, Any]) -> str:
        if "slug" not in step:
            return next(_SLUGS)
        return self._slugs.setdefault(step["slug"], next(_SLUGS))


def expand_value(value: Any) -> Any:
    """Return a value with its `$text`, `$slug`, `$numbered` and `$repeat` parts expanded."""
    if isinstance(value, list):
        return [expand_value(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$text" in value:
        text = value["$text"]
        return (text["start"] + text["fill"] * text["length"])[: text["length"]]
    if "$slug" in value:
        spec = value["$slug"]
        start, end = spec.get("start", ""), spec.get("end", "")
        if spec.get("digits"):
            return str(uuid.uuid4().int)[: spec["length"]]
        return start + _random_slug(spec.get("length", 16) - len(start + end)) + end
    if "$numbered" in value:
        text, count = json.dumps(value["$numbered"]["value"]), value["$numbered"]["count"]
        other = dict(value["$numbered"].get("other", ()))
        return [other.get(n, json.loads(text.replace("{n}", str(n)))) for n in range(count)]
    if "$repeat" in value:
        return [expand_value(value["$repeat"]["value"])] * value["$repeat"]["count"]
    return {key: expand_value(item) for key, item in value.items()}


def _random_slug(length: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    number, text = uuid.uuid4().int, ""
    while len(text) < length:
        number, digit = divmod(number, 36)
        text += digits[digit]
    return text


def _parse_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _is_uuid(value: Any) -> bool:
    return isinstance(value, str) and str(uuid.UUID(value)) == value


def find_problem(case: Case, response: Response) -> str:
    """Return the problem with the response to the last step of a case, or an empty text."""
    rule = RULES[case.rule]
    if case.expect == "open":
        return "" if response.status < 500 else f"{response.status}"
    if case.expect == "accept":
        shows = expand_value(case.steps[-1].get("shows", {}))
        is_wrong = response.status // 100 != 2 or not _contains_values(shows, response)
        return f"{response.status} {response.body[:400]!r}" if is_wrong else ""
    statuses = [409] if case.rule == "slug-immutable" else rule.get("status", [400])[:1]
    broken = [violation["rule"] for violation in response.json().get("violations", ())]
    expected = allowed_rules(case)
    required_rules = {case.rule} & expected or expected
    is_valid = response.status in statuses and broken and expected >= {*broken} and {*broken} & required_rules
    return "" if is_valid else f"{response.status} {broken}, expected {statuses} {expected}"


def allowed_rules(case: Case) -> set[str]:
    """Return the rules that the refusal of a case may name: its own, with few exceptions."""
    if case.rule.endswith("-required") and None in case.steps[-1].get("set", {}).values():
        return {case.rule.replace("-required", "-type")}
    return REFUSED_BY.get(case.rule, {case.rule})


#: An effect is observed by the refusal of another rule; a text without https:// may be no URI either;
#: any type other than external needs an image.
REFUSED_BY = {
    "service-type-enum": {"service-type-enum", "docker-image-required"},
    "service-type-immutable": {"external-url-on-external-only", "external-credential-on-external-only"},
    "slug-immutable": {"slug-unique"},
    "external-url-pattern": {"external-url-pattern", "external-url-format"},
}


def _contains_values(expected: Mapping[str, Any], response: Response) -> bool:
    if not expected:
        return True
    body = response.json()
    return all(body.get(name) == value for name, value in expected.items())
