"""The page of the script: the faults that wait for the next requests, and a form that adds one."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

import flask
from flask import request

from mock_server.admin.renderer import PageRenderer, PageRoute, redirect, same_origin_only
from mock_server.admin.request_view import escape_invisible
from mock_server.admin.scenario_api import ScenarioApi
from mock_server.faults.script import PendingStep, ScriptStep
from mock_server.web.redaction import Redactor
from mock_server.web.responses import Response, reason_phrase
from mock_server.web.wsgi import RAW_REQUEST

_NUMBERS = {"times": int, "status": int, "delay": float}
_CONNECTION_FAULTS = {
    "before": ("drop", "before"),
    "after": ("drop", "after"),
    "truncate": ("truncate", True),
}


class ScriptPages:
    """The view of the script, and the actions of its forms."""

    def __init__(self, renderer: PageRenderer, scenarios: ScenarioApi, redactor: Redactor) -> None:
        self._renderer, self._scenarios, self._redactor = renderer, scenarios, redactor

    def routes(self) -> tuple[PageRoute, ...]:
        """Return the routes of this page."""
        return (
            ("GET", "page/script", self.script_page),
            ("POST", "page/script", same_origin_only(self.add_step)),
            ("POST", "page/delete-script", same_origin_only(self.delete_steps)),
            ("POST", "page/delete-script/<number>", same_origin_only(self.delete_step)),
        )

    def script_page(self) -> flask.Response:
        """Return the page of the pending steps, with an empty form."""
        return self._render({}, "")

    def add_step(self) -> Response | flask.Response:
        """Add the step of the form; if it is invalid, return the form with the reason."""
        fields = _read_form()
        try:
            options = _parse_form(fields)
        except ValueError as error:
            return self._render(fields, self._redactor.redact(str(error)))
        response = self._scenarios.add_steps(options)
        if response.status < 300:
            return redirect("page/script")
        return self._render(fields, json.loads(response.body)["detail"])

    def delete_steps(self) -> Response:
        """Remove every step."""
        self._scenarios.script.clear()
        return redirect("page/script")

    def delete_step(self, number: str) -> Response:
        """Remove one step; one that is used up meanwhile needs no removal."""
        if number.isascii() and number.isdigit():
            self._scenarios.script.remove(int(number[:18]))
        return redirect("page/script")

    def _render(self, fields: Mapping[str, str], problem: str) -> flask.Response:
        return self._renderer.render(
            "script.html",
            400 if problem else 200,
            steps=[self._step_row(pending) for pending in self._scenarios.script.pending()],
            problem=escape_invisible(problem),
            fields={name: escape_invisible(text) for name, text in fields.items()},
            operations=self._scenarios.operations,
            callers=self._scenarios.caller_names,
            rules=self._scenarios.refusable_rules,
        )

    def _step_row(self, pending: PendingStep) -> dict[str, Any]:
        step = pending.step
        filters = {"operation": step.operation, "caller": step.caller, "slug": step.slug}
        return {
            "number": pending.number,
            "left": pending.uses_left,
            "filters": {name: self._clean(value) for name, value in filters.items() if value is not None},
            "effects": [self._clean(effect) for effect in _describe_effects(step)],
        }

    def _clean(self, text: str) -> str:
        return escape_invisible(self._redactor.redact(text))


def _read_form() -> dict[str, str]:
    form = parse_qs(request.environ[RAW_REQUEST].body.decode("utf-8", "replace"))
    return {name: values[0].strip() for name, values in form.items()}


def _parse_form(fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the step of the form as JSON values; what is no number stays a text, which `add_steps` refuses.

    Raise ValueError for a header field that is none.
    """
    options: dict[str, Any] = {
        name: fields[name] for name in ("operation", "caller", "slug", "rule") if name in fields
    }
    for name, number in _NUMBERS.items():
        if name in fields:
            options[name] = _parse_or_keep(number, fields[name])
    if fields.get("connection") in _CONNECTION_FAULTS:
        name, value = _CONNECTION_FAULTS[fields["connection"]]
        options[name] = value
    if "headers" in fields:
        options["headers"] = dict(
            _parse_header(line) for line in fields["headers"].splitlines() if line.strip()
        )
    if "body" in fields:
        options["body"] = _parse_or_keep(json.loads, fields["body"])
    return options


def _parse_header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise ValueError(f"header fields: got {line.strip()[:60]!r}, expected a line such as Retry-After: 5")
    return name.strip(), value.strip()


def _parse_or_keep(parse: Any, text: str) -> Any:
    try:
        return parse(text)
    except (ValueError, RecursionError):
        return text


def _describe_effects(step: ScriptStep) -> Iterator[str]:
    """Yield what the step does to a request, in words."""
    if step.delay:
        yield f"waits {step.delay:g} s"
    if step.rule is not None:
        yield f"refuses for the rule {step.rule.id}"
    if step.status is not None:
        own_body = "" if step.body is None else f" with its own body of {len(step.body)} bytes"
        yield f"returns {step.status} {reason_phrase(step.status)}{own_body}"
    for name, value in step.headers.items():
        yield f"sets {name}: {value}"
    if step.drop:
        yield f"drops the connection {step.drop} the request is carried out"
    if step.truncate_at is not None:
        size = "half of it" if step.truncate_at < 0 else f"{step.truncate_at} bytes"
        yield f"cuts the response off after {size}"
