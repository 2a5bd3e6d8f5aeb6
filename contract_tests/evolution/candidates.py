"""Candidates: requests that may show a change, those that the two schemas judge differently first."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from contract_tests.cases.building.boundaries import find_service_type
from contract_tests.cases.building.boundary_values import probe_values
from contract_tests.cases.model import NO_SLUG, SHARED_PREFIX, Case, OperationId, Step
from contract_tests.cases.tables import load_bodies
from contract_tests.evolution.bodies import CREATE, SLUG, TYPES, UPDATE, Body, BodyWriter, ServiceType
from contract_tests.evolution.changes import Change, Place
from contract_tests.evolution.play import READ, Kind
from contract_tests.evolution.values import draw_texts, list_table_values, list_values

#: Bodies that are no objects.
_NO_OBJECTS: tuple[Any, ...] = ([], [{}], "text", 0, True, None)
_JWT = "jwt-red"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A case, the kind of change that the schemas expect of it, and its rank: smaller and simpler ones are first."""

    case: Case
    expected: Kind | None = None
    rank: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CandidateBuilder:
    """Builds the candidates for a change; ``tables`` are the cases of the fixtures."""

    writer: BodyWriter
    tables: tuple[Case, ...]

    def list_candidates(self, change: Change, documents: Iterable[Mapping[str, Any]]) -> list[Candidate]:
        """Return the candidates in the order in which they are worth playing; ``documents`` are both contracts."""
        if change.property:
            bodies = [*self._vary_property(change)]
        elif change.body_place is not None:
            bodies = [*self._vary_body(change)]
        elif "responses" in change.place or change.keyword in ("responses", "paths"):
            bodies = [*self._list_plain(change.operation)]
        else:
            return [*self._vary_request(change, documents)]
        return sorted(bodies, key=lambda candidate: (candidate.expected is None, candidate.rank))

    def build_plain(self, operation: OperationId, service_type: ServiceType = "deployed") -> Case | None:
        """Return a case with a request that both contracts accept, or None."""
        found = next(iter(self.writer.list_bases(operation, service_type)), None)
        steps = () if found is None else self._list_steps(operation, found, service_type)
        return Case(f"evolve/{operation}", "", "cases", steps) if steps else None

    def _vary_property(self, change: Change) -> Iterator[Candidate]:
        """Yield bodies with each value of one property, and without it, on services of both types."""
        operation, name = change.operation, change.property
        values = self._list_values(operation, name)
        named = load_bodies()
        right: ServiceType = "external" if find_service_type(name, named) == "external" else "deployed"
        for service_type in sorted(TYPES, key=lambda each: each != right):
            for base in self.writer.list_bases(operation, service_type):
                rest = {key: item for key, item in base.items() if key != name}
                bodies = [rest] if name != SLUG else []
                if change.keyword != "default":
                    bodies += ({name: value, **rest} for value in values)
                for body in bodies:
                    yield from self._offer(operation, body, service_type, change, int(service_type != right))

    def _list_values(self, operation: OperationId, name: str) -> list[Any]:
        examples = [load_bodies()[f"{kind}-full"].get(name) for kind in TYPES]
        known = [value for value in examples if value is not None]
        known += list_table_values(self.tables, operation, name)
        return list_values(name, self.writer.property_schemas(operation, name), known, self.writer.seed)

    def _vary_body(self, change: Change) -> Iterator[Candidate]:
        """Yield bodies of both types with each property taken away or added, and bodies that are no objects."""
        operation = change.operation
        for body in _NO_OBJECTS:
            yield from self._offer(operation, body, "deployed", change, 0)
        names = dict.fromkeys(
            name for schema in self.writer.schemas(operation) for name in schema.get("properties", {})
        )
        examples = {name: self.writer.find_example(operation, name) for name in names if name != SLUG}
        patterns = [
            name for schema in self.writer.schemas(operation) for name in schema.get("patternProperties", ())
        ]
        drawn = [text for pattern in patterns for text in draw_texts(pattern, self.writer.seed)[:1]]
        members = [
            *examples.items(),
            *((name, value) for name in ("extra_property", *drawn) for value in ("x", 5)),
        ]
        for service_type in TYPES:
            for base in self.writer.list_bases(operation, service_type):
                for body in _vary_members(base, members):
                    yield from self._offer(operation, body, service_type, change, 0)

    def _vary_request(self, change: Change, documents: Iterable[Mapping[str, Any]]) -> Iterator[Candidate]:
        """Yield requests of the tables, those of the rules first, and plain ones with other headers and paths."""
        tables = [
            case for case in self.tables if case.operation == change.operation and case.layer != "cases"
        ]
        own = [case for case in tables if case.rule in change.rules]
        varied = self._vary_plain(change, documents)
        for case in (*own, *varied, *(case for case in tables if case not in own)):
            if steps := self._stand_alone(case):
                yield Candidate(replace(case, steps=steps))

    def _vary_plain(self, change: Change, documents: Iterable[Mapping[str, Any]]) -> Iterator[Case]:
        """Yield plain requests, and these with each header, media type and path that may make a difference."""
        headers = [(), *chain.from_iterable(_list_headers(change, document) for document in documents)]
        for case in (candidate.case for candidate in self._list_plain(change.operation)):
            *setup, last = case.steps
            for caller in ("red", _JWT):
                for each in headers:
                    yield replace(case, steps=(*setup, replace(last, caller=caller, headers=each)))
            if change.operation == UPDATE:
                for value in probe_values({"type": "string", "format": "uuid"}):
                    if isinstance(value, str):
                        yield replace(case, steps=(replace(last, service=value),))

    def _list_plain(self, operation: OperationId) -> list[Candidate]:
        cases = [self.build_plain(operation, service_type) for service_type in TYPES]
        return [Candidate(case) for case in cases if case]

    def _stand_alone(self, case: Case) -> tuple[Step, ...]:
        """Return the steps of a case of the tables after the create of its service; none if it needs a hook."""
        steps = [self._renew_slug(step) for step in case.steps if step.operation != READ]
        if any(step.operation == "setStatus" for step in steps):
            return ()
        shared = next((s.service for s in steps if s.service.startswith(SHARED_PREFIX)), "")
        if not shared:
            return tuple(steps)
        external = shared.removeprefix(SHARED_PREFIX) == "external"
        base = self.writer.find_base("external" if external else "deployed")
        return (_create_step(base), *(replace(s, service="service") for s in steps)) if base else ()

    def _renew_slug(self, step: Step) -> Step:
        """Return a step that is no refusal of a table, with another slug if it writes one itself."""
        renewed = replace(step, expect="open", rule="")
        if step.as_is and step.operation == CREATE and isinstance(step.body, dict) and SLUG in step.body:
            return replace(renewed, body={**step.body, SLUG: self.writer.new_slug()})
        return renewed

    def _offer(
        self, operation: OperationId, body: Any, service_type: ServiceType, change: Change, distance: int
    ) -> Iterator[Candidate]:
        """Yield the candidate with one body, if there is a service that it can update."""
        if operation == CREATE and isinstance(body, dict) and SLUG in body and change.property != SLUG:
            body = {**body, SLUG: self.writer.new_slug()}
        steps = self._list_steps(operation, body, service_type)
        if steps:
            accepted = self.writer.judge(operation, body)
            kind: Kind = "breaking" if accepted[0] else "relaxed"
            rank = (distance, int(not isinstance(body, dict)), len(json.dumps(body)))
            case = Case(f"evolve/{operation}", next(iter(change.rules), ""), "cases", steps)
            yield Candidate(case, None if accepted[0] == accepted[1] else kind, rank)

    def _list_steps(self, operation: OperationId, body: Any, service_type: ServiceType) -> tuple[Step, ...]:
        """Return the request with a body, an update after the create of its service; none without such a create."""
        if operation == CREATE:
            return (_create_step(body),)
        base = self.writer.find_base(service_type)
        return () if base is None else (_create_step(base), Step(UPDATE, body=body, as_is=True))


def _create_step(body: Any) -> Step:
    return Step(body=body, as_is=True, slug=NO_SLUG)


def _vary_members(base: Body, members: Iterable[tuple[str, Any]]) -> Iterator[Body]:
    """Yield the body with other types, and each of these with one property more or less."""
    for service_type in (None, *TYPES, "other"):
        body = {key: value for key, value in base.items() if key != "service_type"}
        if service_type is not None:
            body["service_type"] = service_type
        yield dict(body)
        for name in base:
            yield {key: value for key, value in body.items() if key != name}
        yield from ({**body, name: value} for name, value in members)


def _list_headers(
    change: Change, document: Mapping[str, Any]
) -> Iterator[tuple[tuple[str, str | None], ...]]:
    """Yield the headers to try where parameters or media types changed."""
    operation = _find_part(document, change.place[:3])
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "header":
            yield ((parameter["name"], None),)
            texts = (v for v in probe_values(parameter.get("schema", {})) if isinstance(v, str))
            yield from (((parameter["name"], text),) for text in texts if _can_be_sent(text))
    for media_type in operation.get("requestBody", {}).get("content", {}):
        yield (("Content-Type", media_type),)


def _find_part(document: Any, place: Place) -> Any:
    for key in place:
        document = document[key] if isinstance(document, Mapping) and key in document else {}
    return document


def _can_be_sent(text: str) -> bool:
    return text.isascii() and text.isprintable()
