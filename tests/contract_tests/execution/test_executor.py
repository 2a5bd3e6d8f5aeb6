"""The executor: a refusal that chance may explain is no finding."""

from itertools import count

import pytest

from mock_server import create_app
from tests.support.gate.gate import judge_app, violated_rules
from tests.support.gate.messages import Request, Response, Send
from tests.support.gate.planting import add_interceptor

MAX_SHORT = 5


def _has_valid_short_slug(request: Request) -> bool:
    slug = (request.body or {}).get("service_slug") if request.operation == "create" else None
    return isinstance(slug, str) and 3 <= len(slug) <= MAX_SHORT and slug.isalnum() and slug == slug.lower()


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_short_slug_that_is_taken_breaks_no_rule(status: int) -> None:
    """A slug of three characters may be that of an earlier run, and no page tells the status of such a refusal."""
    numbers = count()

    def intercept(request: Request, send: Send) -> Response:
        taken = _has_valid_short_slug(request) and next(numbers) % 2 == 0
        return Response(status) if taken else send(request)

    report = judge_app(add_interceptor(create_app(), intercept), rules=frozenset({"service-slug-pattern"}))
    assert (violated_rules(report), next(numbers) > 1) == (set(), True)


def test_a_deployment_that_refuses_short_slugs_is_found() -> None:
    """Where several short slugs are refused, they are not taken by chance."""

    def intercept(request: Request, send: Send) -> Response:
        return Response(422) if _has_valid_short_slug(request) else send(request)

    report = judge_app(add_interceptor(create_app(), intercept), rules=frozenset({"service-slug-pattern"}))
    assert violated_rules(report) == {"service-slug-pattern"}


def test_a_taken_slug_that_returns_its_service_breaks_the_rule_about_slugs() -> None:
    """A create that accepts a taken slug with the id of its service breaks slug-unique alone."""
    owners: dict[tuple[str, str], Response] = {}

    def intercept(request: Request, send: Send) -> Response:
        response = send(request)
        owner = (request.team, str(request.body.get("service_slug")))
        if response.status == 201:
            owners[owner] = response
        return owners[owner] if "slug-unique" in response.broken else response

    rules = frozenset({"slug-unique", "created"})
    report = judge_app(add_interceptor(create_app(), intercept), rules=rules, layers=("lifecycle",))
    assert violated_rules(report) == {"slug-unique"}
