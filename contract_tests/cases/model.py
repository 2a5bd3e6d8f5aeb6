"""Case and Step: the values that every layer runs and every report shows."""

from dataclasses import dataclass, replace
from typing import Any, Literal

Expect = Literal["accept", "refuse", "open"]
OperationId = Literal["createContainer", "updateContainer", "readContainer", "setStatus"]
#: How a JSON body is written: as usual, over many lines, with escapes, or with its keys in the opposite order.
Style = Literal["", "indented", "escaped", "reversed"]
Layer = Literal["cases", "wire", "properties", "lifecycle", "race"]
LAYERS: tuple[Layer, ...] = ("cases", "wire", "lifecycle", "race", "properties")

SHARED_PREFIX = "shared:"  # prefix of the labels of services that many cases update
NO_SLUG = ""  # slug label of a create that is sent without a slug


@dataclass(frozen=True, slots=True)
class Step:
    """One request as a template; labels and value templates are filled in before it is sent.

    The keys are those of ``fixtures/README.md``; a body with ``as_is`` contains no templates. ``expect`` is None for
    a setup step, which must be accepted for the case to mean anything. A step with a ``rule`` is judged under that
    rule wherever it stands; of the others, only the last one is judged. ``choice`` is the one that an open step is
    about, empty if there is none.
    """

    operation: OperationId = "createContainer"
    caller: str = "red"
    team: str | None = None
    headers: tuple[tuple[str, str | None], ...] = ()
    body: Any = None
    raw: Any = None
    slug: str | None = None
    service: str = "service"
    path: str = "{id}"
    as_: str = "service"
    status: str | None = None
    as_is: bool = False
    shows: tuple[tuple[str, Any], ...] = ()
    expect: Expect | None = None
    rule: str = ""
    style: Style = ""
    choice: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A named check of one rule.

    ``value`` marks a case that sets one property in a body that is accepted without it: (operation, service type,
    property). Such cases are judged against that control, and accepted ones can share a request.
    """

    id: str
    rule: str
    layer: Layer
    steps: tuple[Step, ...]
    value: tuple[str, str, str] | None = None

    @property
    def expect(self) -> Expect:
        """The expectation of the last step."""
        return self.steps[-1].expect or "accept"

    @property
    def operation(self) -> OperationId:
        """The operation under test: the last one that is not a read-back."""
        named = (step.operation for step in reversed(self.steps) if step.operation != "readContainer")
        return next(named, "readContainer")

    @property
    def service_type(self) -> str:
        """The type of the service that the operation under test creates or updates."""
        tested = [step for step in self.steps if step.operation != "readContainer"] or self.steps
        step = tested[-1]
        if step.service.startswith(SHARED_PREFIX) and step.operation != "createContainer":
            return step.service.removeprefix(SHARED_PREFIX)
        label = step.as_ if step.operation == "createContainer" else step.service
        created = (s for s in tested if s.operation == "createContainer" and s.as_ == label)
        body = next((s.body for s in created if isinstance(s.body, dict)), {})
        return "external" if body.get("service_type") == "external" else "deployed"

    @property
    def is_generated(self) -> bool:
        """True if the case was generated at random, in any layer."""
        return self.id.startswith(("property/", "crossed/", "trace/"))

    @property
    def starts_with_control(self) -> bool:
        """True if the first request only shows that the last one, which shows the fault alone, can be accepted."""
        return self.id.startswith("crossed/")

    @property
    def is_planned(self) -> bool:
        """True if a run planned the case, so that its rule is undecided while the case proves nothing."""
        return not self.is_generated and not self.id.startswith("recorded/")

    def with_changes(self, suffix: str, **changes: Any) -> "Case":
        """Return the same case under another name, with ``changes`` to every step."""
        return replace(
            self, id=f"{self.id}~{suffix}", steps=tuple(replace(s, **changes) for s in self.steps), value=None
        )


def case_to_json(case: Case) -> dict[str, Any]:
    """Return the case as plain JSON values."""
    steps = []
    for step in case.steps:
        plain = {k: getattr(step, k) for k in Step.__slots__ if getattr(step, k) != getattr(_DEFAULT_STEP, k)}
        steps.append(plain)
    value = {"value": list(case.value)} if case.value else {}
    return {"id": case.id, "rule": case.rule, "layer": case.layer, "steps": steps, **value}


def case_from_json(data: dict[str, Any]) -> Case:
    """Return the case that ``case_to_json`` wrote; raise ValueError for other data."""
    try:
        steps = tuple(_step_from_json(dict(step)) for step in data["steps"])
        operation, kind, name = data.get("value") or ("", "", "")
        value = (operation, kind, name) if operation else None
        return Case(data["id"], data["rule"], data["layer"], steps, value)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"not a case: {error!r}") from None


def _step_from_json(data: dict[str, Any]) -> Step:
    for key in ("headers", "shows"):
        if key in data:
            data[key] = tuple((name, value) for name, value in data[key])
    return Step(**data)


_DEFAULT_STEP = Step()
