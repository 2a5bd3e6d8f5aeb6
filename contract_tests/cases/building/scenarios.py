"""Scenario cases that follow one scheme for each kind of caller, service type and update property."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from contract_tests.cases.building.covering import build_covering_cases
from contract_tests.cases.building.telling_values import TELLING_VALUES, Values
from contract_tests.cases.callers import CallerPool
from contract_tests.cases.model import SHARED_PREFIX, Case, Expect, Step
from contract_tests.cases.tables import choose_creator

_URL = "https://moved.example.com/v2"
_CREDENTIAL = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
_OTHER_CREATES = 20
#: What only an external service has: a name, the rule, and an update.
_EXTERNAL_ONLY: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("url", "external-url-on-external-only", {"external_url": _URL}),
    ("credential", "external-credential-on-external-only", {"external_auth_credential_id": _CREDENTIAL}),
)


def build_scenario_cases(
    pool: CallerPool,
    bodies: Mapping[str, Any],
    offered: Values = TELLING_VALUES,
    accepted: Values = TELLING_VALUES,
) -> list[Case]:
    """Return the scenario cases for the given callers.

    ``offered`` are the values that are stored and read back. If the target refuses some of them, the ``accepted``
    ones are also sent without the others, so that their read-back is judged.
    """
    kinds: list[str] = sorted({caller.kind for caller in pool.list_red_callers()})
    roles = [f"{kind}-red" for kind in kinds]
    blue = pool.find_caller("blue")
    if blue and pool.blue:
        roles.append(f"{blue.kind}-blue")
    return [
        *(_update_while_busy(role, kind, bodies) for role in roles for kind in ("deployed", "external")),
        *_vary_stored_type(kinds),
        *_update_every_property(kinds, bodies),
        *_vary_caller_kind(kinds, bodies),
        *_cross_teams(),
        *_update_of_colleagues(kinds),
        _repeat_slug_after_many(bodies),
        *_update_after_refusal(kinds),
        *build_covering_cases(roles, offered),
        *(build_covering_cases(roles, accepted, "covering-accepted") if accepted != offered else ()),
        *_reuse_slug_after_refusal(bodies),
    ]


def _vary_stored_type(kinds: list[str]) -> Iterator[Case]:
    """Yield updates whose expectation depends on the stored type, for each kind of caller."""
    for kind in kinds:
        for stored in ("deployed", "external"):
            only_external: Expect = "accept" if stored == "external" else "refuse"
            for name, rule, value, expect in (
                ("url", "external-url-on-external-only", {"external_url": _URL}, only_external),
                ("credential", "external-credential-on-external-only",
                 {"external_auth_credential_id": _CREDENTIAL}, only_external),
                ("null", "external-credential-null-accepted", {"external_auth_credential_id": None}, "accept"),
                ("nothing", "update-partial", {}, "accept"),
            ):  # fmt: skip
                yield _build_update_case(f"{name}-on-{stored}-by-{kind}", rule, kind, stored, value, expect)  # type: ignore[arg-type]


def _update_every_property(kinds: list[str], bodies: Mapping[str, Any]) -> Iterator[Case]:
    """Yield updates of all properties at once, and of each beside one that the type does not have."""
    unchanging = ("service_slug", "service_type")
    for kind in kinds:
        for stored in ("deployed", "external"):
            full = {k: v for k, v in bodies[f"{stored}-full"].items() if k not in unchanging}
            yield _build_update_case(
                f"everything-on-{stored}-by-{kind}", "updated", kind, stored, full, "accept"
            )
    full = {k: v for k, v in bodies["deployed-full"].items() if k not in unchanging}
    others = {**full, "service_type": "external"}
    for name, value in others.items():
        for short, rule, only in _EXTERNAL_ONLY:
            body = {name: value, **only}
            yield _build_update_case(f"{short}-with-{name}-on-deployed", rule, "", "deployed", body, "refuse")
    body = {"external_auth_credential_id": None, "external_url": _URL}
    rule = "external-url-on-external-only"
    yield _build_update_case("url-with-a-null-credential-on-deployed", rule, "", "deployed", body, "refuse")
    with_url = {**bodies["deployed"], "external_url": _URL}
    had_one = Step(body=with_url, expect="open", choice="external-url-on-deployed")
    again = Step("updateContainer", body={"external_url": f"{_URL}/again"}, expect="refuse")
    yield Case("trace/url-on-deployed-that-had-one", rule, "lifecycle", (had_one, again))


def _build_update_case(
    name: str, rule: str, kind: str, stored: str, body: dict[str, Any], expect: Expect
) -> Case:
    role = f"{kind}-red" if kind else "red"
    step = Step("updateContainer", role, body=body, service=SHARED_PREFIX + stored, expect=expect)
    return Case(f"trace/{name}", rule, "lifecycle", (step,))


def _vary_caller_kind(kinds: list[str], bodies: Mapping[str, Any]) -> Iterator[Case]:
    """Yield cases about stored state for each kind of caller, and for each pair of kinds."""
    for kind, other in zip(kinds, [*kinds[1:], *kinds[:1]], strict=True):
        if kind != other:
            first, second = (
                Step(caller=f"{k}-red", body=bodies["deployed"], slug="a") for k in (kind, other)
            )
            steps = (first, replace(second, as_="again", expect="refuse"))
            yield Case(f"trace/slug-again-by-{kind}-then-{other}", "slug-unique", "lifecycle", steps)
    for kind in kinds:
        role = f"{kind}-red"
        create = Step(caller=role, body=bodies["deployed"], slug="a")
        again = (create, Step(caller=role, body=bodies["deployed"], slug="a", as_="again", expect="refuse"))
        yield Case(f"trace/slug-again-by-{kind}", "slug-unique", "lifecycle", again)
        update = Step("updateContainer", role, body={"display_name": "Busy"}, expect="refuse")
        busy = (create, Step("setStatus", status="stopping"), update, update)
        yield Case(f"trace/busy-by-{kind}", "not-while-busy", "lifecycle", busy)


def _update_while_busy(role: str, service_type: str, bodies: Mapping[str, Any]) -> Case:
    """Return a case in which a busy service refuses each body that it accepts otherwise, in both busy statuses."""
    rule = "not-while-busy"
    full = {
        k: v for k, v in bodies[f"{service_type}-full"].items() if k not in ("service_slug", "service_type")
    }
    sent: list[dict[str, Any]] = [{}, full, {"exposed_port": 9000}, {"external_auth_credential_id": None}]
    steps = [Step(caller=role, body=bodies[service_type])]
    for status in ("deploying", "stopping"):
        steps.append(Step("setStatus", status=status))
        steps += (Step("updateContainer", role, body=body, expect="refuse", rule=rule) for body in sent)
    steps += (
        Step("setStatus", status="running"),
        Step("updateContainer", role, body={"display_name": "Free"}, expect="accept", rule=rule),
    )
    return Case(f"trace/busy-{service_type}-by-{role}", rule, "lifecycle", tuple(steps))


def _cross_teams() -> Iterator[Case]:
    """Yield updates by a caller of the other team, in both directions."""
    for owner, intruder in (
        ("dk-red", "sk-blue"),
        ("jwt-red", "sk-blue"),
        ("sk-blue", "dk-red"),
        ("sk-blue", "jwt-red"),
        ("sk-red", "jwt-blue"),
    ):
        steps = (
            Step(caller=choose_creator(owner), body={"display_name": "Ours", "docker_image": "nginx:1.27"}),
            Step("updateContainer", intruder, body={"display_name": "Theirs"}, expect="refuse"),
        )
        yield Case(f"trace/{intruder}-on-a-service-of-{owner}", "team-scope", "lifecycle", steps)


def _update_of_colleagues(kinds: list[str]) -> Iterator[Case]:
    """Yield updates by each kind of caller of a service that another kind of the same team created."""
    for kind in kinds:
        for other in kinds:
            if other != kind:
                yield _update_together(f"{kind}-red", f"{other}-red")


def _update_together(creator: str, other: str) -> Case:
    """Return a case in which two callers of one team update a service, each another property."""
    create = Step(caller=creator, body={"display_name": "Ours", "docker_image": "nginx:1.27"})
    name, text = {"display_name": "By a colleague"}, {"service_desc": "By its creator"}
    update = Step("updateContainer", other, body=name, expect="accept", rule="team-scope")
    again = Step("updateContainer", creator, body=text)
    read = Step("readContainer", creator, shows=(*name.items(), *text.items()))
    steps = (create, update, again, read)
    return Case(f"trace/{other}-on-a-service-by-{creator}", "update-keeps-omitted", "lifecycle", steps)


def _repeat_slug_after_many(bodies: Mapping[str, Any]) -> Case:
    """Return a case that repeats a slug after many other creates."""
    plain = Step(body=bodies["deployed"])
    others = tuple(Step(body=bodies["deployed"], as_=f"other-{n}") for n in range(_OTHER_CREATES))
    first = Step(body=plain.body, slug="a")
    last = Step(body=plain.body, slug="a", as_="again", expect="refuse")
    return Case(
        f"trace/slug-again-after-{_OTHER_CREATES}-others", "slug-unique", "lifecycle", (first, *others, last)
    )


def _update_after_refusal(kinds: list[str]) -> Iterator[Case]:
    """Yield a valid update after a refused one, which must not have locked the service."""
    if kinds:
        steps = (
            Step(body={"display_name": "Mine", "docker_image": "nginx:1.27"}),
            Step("updateContainer", body={"external_url": _URL}, expect="refuse"),
            Step("updateContainer", body={"display_name": "Still mine"}, expect="accept"),
        )
        yield Case("trace/update-after-a-refused-one", "not-while-busy", "lifecycle", steps)


def _reuse_slug_after_refusal(bodies: Mapping[str, Any]) -> Iterator[Case]:
    """Yield creates with the slug of a refused create, which must not have been kept."""
    external = {key: value for key, value in bodies["external"].items() if key != "external_url"}
    refused: dict[str, dict[str, Any]] = {
        "a-long-name": {**bodies["deployed"], "display_name": "n" * 256},
        "a-wrong-label": {**bodies["deployed"], "required_labels": [1]},
        "no-url": external,
        "no-name": {"docker_image": "nginx:1.27"},
    }
    for name, body in refused.items():
        steps = (
            Step(body=body, slug="a", expect="refuse"),
            Step(body=bodies["deployed"], slug="a", expect="accept"),
        )
        yield Case(f"trace/slug-after-{name}", "slug-unique", "lifecycle", steps)
    full = Step(body=bodies["deployed-full"], slug="a")
    again = (full, replace(full, as_="again", expect="refuse"))
    yield Case("trace/slug-again-in-company", "slug-unique", "lifecycle", again)
