"""Scenario cases that follow one scheme for each kind of caller, service type and update property."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from contract_tests.cases.callers import CallerPool
from contract_tests.cases.covering import build_covering_cases
from contract_tests.cases.model import SHARED_PREFIX, Case, Expect, Step
from contract_tests.cases.tables import choose_creator

_URL = "https://moved.example.com/v2"
_CREDENTIAL = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
_OTHER_CREATES = 8


def build_scenario_cases(
    pool: CallerPool, bodies: Mapping[str, Any], *, with_credential: bool = True
) -> list[Case]:
    """Return the scenario cases for the given callers; ``with_credential`` if a reference may be made up."""
    kinds: list[str] = sorted({caller.kind for caller in pool.list_red_callers()})
    return [
        *_vary_stored_type(kinds),
        *_update_every_property(kinds, bodies),
        *_vary_caller_kind(kinds, bodies),
        *_cross_teams(),
        *_update_of_colleagues(kinds),
        _repeat_slug_after_many(bodies),
        *_update_after_refusal(kinds),
        *build_covering_cases(kinds, with_credential=with_credential),
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
    for name, value in full.items():
        body = {name: value, "external_url": _URL}
        yield _build_update_case(
            f"url-with-{name}-on-deployed", "external-url-on-external-only", "", "deployed", body, "refuse"
        )


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
        for service_type in ("deployed", "external"):
            yield _update_while_busy(kind, service_type, bodies)


def _update_while_busy(kind: str, service_type: str, bodies: Mapping[str, Any]) -> Case:
    """Return a case in which a busy service refuses each body that it accepts otherwise, in both busy statuses."""
    role, rule = f"{kind}-red", "not-while-busy"
    full = {
        k: v for k, v in bodies[f"{service_type}-full"].items() if k not in ("service_slug", "service_type")
    }
    sent: list[dict[str, Any]] = [{}, full, {"exposed_port": 9000}, {"external_auth_credential_id": None}]
    steps = [Step(caller=role, body=bodies[service_type])]
    for status in ("deploying", "stopping"):
        steps.append(Step("setStatus", status=status))
        steps += (Step("updateContainer", role, body=body, expect="refuse", rule=rule) for body in sent)
    return Case(f"trace/busy-{service_type}-by-{kind}", rule, "lifecycle", tuple(steps))


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
                create = Step(
                    caller=f"{kind}-red", body={"display_name": "Ours", "docker_image": "nginx:1.27"}
                )
                body = {"display_name": "By a colleague"}
                update = Step("updateContainer", f"{other}-red", body=body, expect="accept")
                yield Case(
                    f"trace/{other}-on-a-service-by-{kind}", "team-scope", "lifecycle", (create, update)
                )


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
    """Yield a valid update after a refused one, which must not have changed anything."""
    if kinds:
        steps = (
            Step(body={"display_name": "Mine", "docker_image": "nginx:1.27"}),
            Step("updateContainer", body={"external_url": _URL}, expect="refuse"),
            Step("updateContainer", body={"display_name": "Still mine"}, expect="accept"),
        )
        yield Case("trace/update-after-a-refused-one", "external-url-on-external-only", "lifecycle", steps)
