"""A finding as a pytest of its own: it fails on the deployment that was judged, and passes where the rule holds.

The test needs pytest and urllib3 only. It reads the base URL and the tokens from the environment, and sends its own
slugs.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contract_tests.cases.model import SHARED_PREFIX, Case
from contract_tests.cases.tables import load_bodies
from contract_tests.cases.value_templates import fill_templates
from contract_tests.contract.rules import Rule
from contract_tests.results.judge import REPEATED_ID
from contract_tests.results.reproduction.commands import read_created_id, read_slug
from contract_tests.results.statistics import count_replays
from contract_tests.targets.exchange import (
    REDACTED,
    REDACTED_CUT,
    REDACTED_SWAPPED,
    Exchange,
    encode_json,
    exchange_from_json,
)

#: The part of a slug that a run drew; the test draws one of the same length.
_DRAWN = re.compile(r"[a-z0-9]{12}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_INTERMITTENT = re.compile(r"\d+ of \d+ times|every \w+ time")
_TRIES = 24
_LONG_RUN = re.compile(r"(.)\1{199,}", re.DOTALL)
_MAX_SOURCE = 64 * 1024  # characters of one body
_ACCEPTED = "assert 200 <= response.status < 300, response.data"
#: A plain create by the same caller may be refused for these rules, too.
_CALLER_STAGES = ("authentication", "team")
_ANOTHER_PATH_ID = "the id is not the one in the path"
_TOKENS = {
    REDACTED_SWAPPED: "{token}.swapcase()",
    REDACTED_CUT: "{token}[:-1]",
    REDACTED: "{token}",
}


def render_pytest(case: Case, rule: Rule, document: Mapping[str, Any], exchanges: Sequence[Exchange]) -> str:
    """Return the source of the test; raise ValueError if plain requests cannot show the finding."""
    reason = document.get("reason", "")
    _check_writable(case, exchanges, reason)
    writer = _Writer(case, exchanges)
    requests = list(writer.iter_lines(rule, document.get("sibling")))
    checks = _list_checks(case, rule, document, reason)
    rate = document.get("rate")
    tries = count_replays(rate["shown"], rate["tries"]) if rate else _TRIES
    repeated = rate or _INTERMITTENT.search(reason)
    once = [f'@pytest.mark.parametrize("attempt", range({tries}))'] if repeated else []
    argument = "attempt: int" if once else ""
    drawn = [f"{name} = str(time.time_ns() + {n})[-12:]" for n, name in enumerate(writer.drawn.values())]
    body = "\n".join(f"    {line}" for line in (*drawn, *requests, *checks))
    line = f" ({document['line']})" if document.get("line") else ""
    summary = _escape_docstring(f"{rule.statement}{line}")
    code = f"def test_{rule.id.replace('-', '_')}({argument}) -> None:\n{body}\n"
    names = ("TARGET", *writer.tokens)
    modules = [name for name in ("time", "uuid") if f"{name}." in code]
    header = "\n".join(f"import {name}" for name in ("os", *modules, "", "pytest", "urllib3"))
    return "\n".join(
        (
            f'"""{summary}',
            "",
            f"Set {_name_variables(writer.tokens)} in the environment.",
            '"""',
            "",
            header.replace("import \n", "\n"),
            "",
            f"VARIABLES = {names!r}".replace("'", '"'),
            "if missing := [name for name in VARIABLES if not os.environ.get(name)]:",
            "    pytest.fail(f\"set {', '.join(missing)} in the environment\", pytrace=False)",
            *(f'{name} = os.environ["{name}"]' for name in names),
            "",
            "",
            *once,
            code,
        )
    )


@dataclass(slots=True)
class _Writer:
    """Writes requests as statements; ``drawn`` and ``ids`` are the variables for recorded texts.

    ``tokens`` are the variables with tokens, each with its caller.
    """

    case: Case
    exchanges: Sequence[Exchange]
    drawn: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def iter_lines(self, rule: Rule, sibling: Mapping[str, Any] | None) -> Iterator[str]:
        """Yield the statements; the last response is called ``response``.

        What the run saw accepted before it must be accepted: with a wrong target or token the test fails.
        """
        for exchange in self.exchanges:
            found = _DRAWN.search(read_slug(exchange)) if exchange.method == "POST" else None
            if found:
                self._name(self.drawn, found[0], "new")
        shared = list(self._create_shared())
        yield from shared or self._send_control(rule, sibling)
        yield from self._try_last_token(rule)
        for number, exchange in enumerate(self.exchanges):
            yield self._write_request(exchange)
            created = read_created_id(exchange)
            later = self.exchanges[number + 1 :]
            if later and 200 <= exchange.status < 300:
                yield _ACCEPTED
            if created and any(created in one.url or created in (one.body or "") for one in later):
                yield f'{self._name(self.ids, created, "service_id")} = response.json()["id"]'

    def _create_shared(self) -> Iterator[str]:
        """Yield the create of the service that the case updates, if it is none of its own."""
        step, first = self.case.steps[-1], self.exchanges[-1]
        shared = step.service.startswith(SHARED_PREFIX) or step.service == "service"
        found = _UUID.search(first.url)
        if first.method != "PUT" or len(self.exchanges) > 1 or not shared or found is None:
            return
        yield from self._create_plain(first)
        yield f'{self._name(self.ids, found[0], "service_id")} = response.json()["id"]'

    def _send_control(self, rule: Rule, sibling: Mapping[str, Any] | None) -> Iterator[str]:
        """Yield a create that must be accepted before a single refused request: the sibling, or a plain one."""
        first = self.exchanges[0]
        if len(self.exchanges) > 1 or self.case.expect != "refuse":
            return
        near = [exchange_from_json(entry) for entry in sibling["exchanges"]] if sibling else []
        slug = _DRAWN.search(read_slug(near[0])) if len(near) == 1 else None
        if slug and near[0].method == "POST" and near[0].caller == first.caller and near[0].body_bytes:
            self._name(self.drawn, slug[0], "new")
            yield from (self._write_request(near[0]), _ACCEPTED)
        elif rule.stage not in _CALLER_STAGES:
            yield from self._create_plain(first)

    def _try_last_token(self, rule: Rule) -> Iterator[str]:
        """Yield a create by the last caller of several requests, if no earlier one shows that its token is right."""
        *earlier, last = self.exchanges
        if not earlier or self.case.expect != "refuse" or rule.stage in _CALLER_STAGES:
            return
        shown = {exchange.caller for exchange in earlier if 200 <= exchange.status < 300}
        if last.caller not in shown and last.caller_kind in ("sk", "dk", "jwt"):
            yield from self._create_plain(last)

    def _create_plain(self, first: Exchange) -> Iterator[str]:
        """Yield a create of a plain service by the caller of an exchange, and that it must be accepted."""
        new = self._name(self.drawn, "\0", "new")
        body = {**load_bodies()[self.case.service_type], "service_slug": f"ck-{{{new}}}"}
        own = first.caller_kind in ("sk", "dk", "jwt")
        team = [(name, value) for name, value in first.headers if name.lower() == "x-team-id" and own]
        headers = (("Authorization", f"Bearer {REDACTED}"), ("Content-Type", "application/json"), *team)
        token = self._name_token(first) if own else self._use_token("TOKEN_OWNER", "any service key")
        text = encode_json(body).decode()
        yield _format_request("POST", "/containers", headers, f"{text!r}.replace('{{{new}}}', {new})", token)
        yield _ACCEPTED

    def _write_request(self, exchange: Exchange) -> str:
        path = _find_path(exchange)
        data = exchange.body_bytes
        if exchange.body is None:
            body = ""
        elif exchange.raw_body and not exchange.body_cut and data is not None:
            body = repr(data)
        else:
            body = self._write_text((data or b"").decode("utf-8", "surrogatepass"))
        if len(body) > _MAX_SOURCE:
            raise ValueError("a body is too long for a source file")
        token = self._name_token(exchange) if any("$" in value for _, value in exchange.headers) else ""
        return _format_request(
            exchange.method, self._write_text(path), exchange.headers, body, token, literal=True
        )

    def _write_text(self, text: str) -> str:
        """Return a text as source, with variables in place of what the run drew or the target returned."""
        replaced = ""
        for recorded, name in (self.drawn | self.ids).items():
            if recorded in text:
                text = text.replace(recorded, f"{{{name}}}")
                replaced += f".replace('{{{name}}}', {name})"
        return f"{_write_runs(text)}{replaced}"

    def _name_token(self, exchange: Exchange) -> str:
        return self._use_token(exchange.token_variable, exchange.caller)

    def _use_token(self, name: str, caller: str) -> str:
        self.tokens[name] = caller
        return name

    @staticmethod
    def _name(names: dict[str, str], recorded: str, stem: str) -> str:
        if recorded not in names:
            names[recorded] = f"{stem}{len(names) + 1 if names else ''}"
        return names[recorded]


def _find_path(exchange: Exchange) -> str:
    """Return the path of a request below the base URL; raise ValueError if it is none of this API."""
    path = re.sub(r"^https?://[^/]*", "", exchange.url)
    first = "/r/containers" if exchange.method == "GET" else "/containers"
    if first not in path:
        raise ValueError(f"a URL holds no {first}")
    return path[path.rindex(first) :]


def _format_request(
    method: str,
    path: str,
    headers: Sequence[tuple[str, str]],
    body: str,
    token: str,
    *,
    literal: bool = False,
) -> str:
    where = path if literal else repr(path)
    written = ", ".join(f"{name!r}: {_write_header(value, token)}" for name, value in headers)
    parts = [
        json.dumps(method),
        f"TARGET + {where}",
        f"headers={{{written}}}",
        *([f"body={body}"] if body else []),
        "redirect=False",
    ]
    inside = "".join(f"        {part},\n" for part in parts)
    return f"response = urllib3.request(\n{inside}    )"


def _write_header(value: str, token: str) -> str:
    for recorded, expression in _TOKENS.items():
        if recorded in value:
            start, _, end = value.partition(recorded)
            parts = (repr(start), expression.format(token=token), repr(end))
            return " + ".join(part for part in parts if part != "''")
    return repr(value)


def _list_checks(case: Case, rule: Rule, document: Mapping[str, Any], reason: str) -> list[str]:
    """Return the assertions about the last response."""
    step = case.steps[-1]
    if step.operation == "readContainer":
        return list(_check_stored(case, [entry["property"] for entry in document.get("differences", ())]))
    if step.expect == "refuse":
        exact = rule.exact_status
        wanted = f"response.status in {exact}" if exact else "400 <= response.status < 500"
        # A wrong target has no such path.
        excluded = " and response.status != 404" if rule.stage == "authentication" and not exact else ""
        return [f"assert {wanted}{excluded}, response.data"]
    if step.expect == "open":
        return ["assert response.status < 500, response.data"]
    checks = [_ACCEPTED]
    if reason == _ANOTHER_PATH_ID:
        checks.append('assert response.json()["id"] == service_id, response.data')
    elif rule.id in ("created", "updated"):
        checks.append('assert uuid.UUID(response.json()["id"]), response.data')
    return checks


def _check_stored(case: Case, names: Sequence[str]) -> Iterator[str]:
    shows = dict(case.steps[-1].shows)
    yield "assert response.status == 200, response.data"
    for name in names:
        if name == "id":
            yield 'assert response.json()["id"] == service_id, response.data'
            continue
        if name not in shows:
            raise ValueError("a difference names a property that the case does not read")
        value = fill_templates(shows[name], _refuse_slug)
        empty = value in (None, "", [])
        place = f"response.json().get({json.dumps(name)})"
        yield f"assert not {place}, response.data" if empty else f"assert {place} == {value!r}, response.data"


def _refuse_slug(_length: int | None) -> str:
    raise ValueError("it compares a slug that each run draws anew")


def _write_runs(text: str) -> str:
    """Return a text as source; a long run of one character is a product."""
    parts, end = [], 0
    for run in _LONG_RUN.finditer(text):
        parts += [repr(text[end : run.start()]), f"{run[1]!r} * {len(run[0])}"]
        end = run.end()
    parts.append(repr(text[end:]))
    return f"({' + '.join(parts)})" if end else parts[0]


def _check_writable(case: Case, exchanges: Sequence[Exchange], reason: str) -> None:
    """Raise ValueError if plain requests, one after another, cannot show the finding."""
    if case.layer == "race":
        raise ValueError("a race needs several requests at the same moment")
    if any(step.operation == "setStatus" for step in case.steps):
        raise ValueError("it sets a status by --control-hook")
    if reason == REPEATED_ID:
        raise ValueError("it compares the ids of a whole run")
    if not exchanges:
        raise ValueError("it holds no requests")
    if any(one.body is not None and one.body_bytes is None for one in exchanges):
        raise ValueError("a body is too long to be stored")
    if any(len({name.lower() for name, _ in one.headers}) < len(one.headers) for one in exchanges):
        raise ValueError("a header is sent twice")
    if any("/." in one.url.partition("/containers")[2] for one in exchanges):
        raise ValueError("urllib3 would shorten the path")


def _name_variables(tokens: Mapping[str, str]) -> str:
    """Return the variables that the test reads, each with its meaning."""
    named = [f"{name} (the token of {_escape_docstring(caller)})" for name, caller in tokens.items()]
    *first, last = ["TARGET (the base URL, such as https://host/api/v1)", *named]
    return f"{', '.join(first)} and {last}" if first else last


def _escape_docstring(text: str) -> str:
    """Return a text that can neither end a docstring nor its line."""
    return repr(text)[1:-1].replace('"', '\\"')
