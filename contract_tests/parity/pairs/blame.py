"""Blame: the rules and choices that may explain why the deployment and the mock part, the likeliest first."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from contract_tests.contract.choices import Choice, list_deciding_choices
from contract_tests.contract.property_rules import DEFAULT_RULES, find_length_rule
from contract_tests.contract.rules import Catalogue
from contract_tests.generation.oracle import CREDENTIAL_PROPERTY, PROPERTY_NAMES
from contract_tests.parity.pairs.compare import Difference, Reaction
from contract_tests.parity.pairs.openness import UNUSED, has_unknown_item_properties, repeats_env_name
from contract_tests.parity.pairs.reading import Reading
from contract_tests.parity.pairs.services import ALL, KnownService
from contract_tests.results.judge import SUCCESS_RULES

_SHAPE_CHOICES = {
    "body": "error-body",
    "id version": "id-version",
    "id case": "id-case",
    "more properties": "extra-answer-properties",
}
_IMMUTABLE = {"service_slug": "slug-immutable", "service_type": "service-type-immutable"}
#: The rule about stored state that may explain any refusal of a valid request with the status of a conflict.
CONFLICTS = {"createContainer": "slug-unique", "updateContainer": "not-while-busy"}
_CALLER_STATUSES = (401, 403)


@dataclass(frozen=True, slots=True)
class Blame:
    """Finds the suspects of a difference by the tables of the contract."""

    catalogue: Catalogue
    choices: Mapping[str, Choice]

    def list_suspects(
        self, reading: Reading, difference: Difference, statuses: tuple[int, int], rule: str = ""
    ) -> tuple[str, ...]:
        """Return the suspects; ``rule`` is that of the case, if its last response is the one that parts."""
        if reading.operation == "readContainer":
            found = self._suspect_stored(reading, difference, rule)
        elif difference.dimension == "shape":
            known = _SHAPE_CHOICES.get(difference.part)
            found = iter([known or SUCCESS_RULES[reading.operation]])
        elif difference.dimension == "accepted":
            found = self._suspect_reaction(reading, difference, statuses, rule)
        else:
            found = self._suspect_status(reading, statuses, rule)
        return tuple(dict.fromkeys(found)) or (rule or SUCCESS_RULES.get(reading.operation, "created"),)

    def list_subjects(self, reading: Reading, reaction: Reaction) -> set[str]:
        """Return the rules and choices about which a response says something."""
        if reading.operation == "readContainer":
            service = reading.service
            shows_image = service and service.type == "external" and service.values.get("docker_image")
            stored = self._list_stored_rules(service) if service else ()
            return {"absent-values", *(["unused-docker-image"] if shows_image else []), *stored}
        subjects = {*reading.broken, *reading.choices, *_suspect_credential(reading)}
        if reaction == "refused":
            subjects |= {"error-body", *self._list_statuses(reading)}
            if self._count_stages(reading) > 1:
                subjects.add("check-order")
        elif reaction == "accepted":
            status = "created-status" if reading.operation == "createContainer" else "updated-status"
            shapes = ("id-version", "id-case", "extra-answer-properties")
            subjects |= {SUCCESS_RULES[reading.operation], status, *shapes}
        return subjects | ({"service-keys"} if reading.kind == "sk" else set())

    def _list_stored_rules(self, service: KnownService) -> Iterator[str]:
        """Yield the rules about the stored values that are still compared; a choice decides some of them."""
        for name in () if ALL in service.parted else PROPERTY_NAMES - service.parted:
            if not any(_list_stored_choices(service, name)):
                yield from _suspect_value(service, name)

    def _suspect_reaction(
        self, reading: Reading, difference: Difference, statuses: tuple[int, int], rule: str
    ) -> Iterator[str]:
        """Yield why one accepts what the other refuses; a server error is never a choice."""
        if "error" in difference.theirs + difference.ours:
            yield from self._suspect_rules(reading, rule)
        elif reading.broken:
            yield from (self._name_broken(one, reading) for one in reading.broken)
        else:
            conflict = self._find_conflict(reading, statuses)
            lengths = [*_suspect_lengths(reading)] if difference.theirs.startswith("refused") else []
            yield from (*lengths, *reading.choices)
            if reading.kind == "sk" and max(statuses) in _CALLER_STATUSES:
                yield "service-keys"
            yield from _suspect_credential(reading)
            # Last, since a deployment may refuse what an open point is about with the same status.
            if conflict:
                yield conflict
            elif not (reading.choices or lengths):
                yield from self._suspect_rules(reading, rule)

    def _find_conflict(self, reading: Reading, statuses: tuple[int, int]) -> str:
        """Return the rule about stored state that a valid request breaks for one side, by its status."""
        rule = CONFLICTS.get(reading.operation, "")
        return rule if rule and max(statuses) in self.catalogue[rule].status else ""

    def _suspect_rules(self, reading: Reading, rule: str) -> Iterator[str]:
        """Yield the broken rules, or that of the case and those that the request uses."""
        nothing = ["update-partial"] if reading.operation == "updateContainer" and reading.body == {} else []
        yield from reading.broken or (*([rule] if rule else []), *nothing, *reading.concerned)

    def _name_broken(self, rule: str, reading: Reading) -> str:
        """Return the choice that decides whether a broken rule is enforced, or the rule itself."""
        known = (one for one in reading.choices if rule in self.choices[one].disables)
        is_assumed = rule in self.catalogue and self.catalogue[rule].grade == "assumed"
        deciding = list_deciding_choices(rule, self.choices) if is_assumed else ()
        plain = [one for one in deciding if not self.choices[one].disables]
        touched = (one for one in plain if one in reading.choices)
        return next(known, next(touched, next(iter(plain), rule)))

    def _suspect_status(self, reading: Reading, statuses: tuple[int, int], rule: str) -> Iterator[str]:
        if all(200 <= status < 300 for status in statuses):
            yield "created-status" if reading.operation == "createContainer" else "updated-status"
        elif not all(400 <= status < 500 for status in statuses):
            yield from self._suspect_rules(reading, rule)
        else:
            if self._count_stages(reading) > 1:
                yield "check-order"
                yield from (self._name_broken(one, reading) for one in reading.broken)
            if "empty-team" in reading.choices:
                yield "empty-team"
            if "largest-body" in reading.choices and reading.broken and "body-size" not in reading.broken:
                yield "largest-body"  # it may be refused for its size before its fault is seen
            yield from self._list_statuses(reading, rule)
            # Last: a deployment that refuses unknown credentials also refuses some that break no other rule.
            yield from _suspect_credential(reading)

    def _list_statuses(self, reading: Reading, rule: str = "") -> Iterator[str]:
        """Yield the choices of the status with which a request is refused, or the rules that have one status only."""
        if reading.choices and not reading.broken:
            for one in reading.choices:
                rules = self.choices[one].rules
                used = [rule for rule in rules if rule in reading.concerned]
                if found := self._find_status(used or rules, self.choices[one].stage, reading):
                    yield found
        else:
            for one in self._suspect_rules(reading, rule):
                yield self._find_status([one], "", reading) or one

    def _find_status(self, rules: Iterable[str], stage: str, reading: Reading) -> str:
        known = [
            choice for choice in self.choices.values()
            if choice.is_refusal_status and reading.operation in choice.operations
        ]  # fmt: skip
        shared = (choice.id for choice in known if {*rules} & {*choice.rules})
        staged = (choice.id for choice in known if choice.stage == stage)
        return next(shared, "") or next(staged, "")

    def _count_stages(self, reading: Reading) -> int:
        return len({self.catalogue[rule].stage for rule in reading.broken if rule in self.catalogue})

    def _suspect_stored(self, reading: Reading, difference: Difference, rule: str) -> Iterator[str]:
        if difference.dimension == "shape":
            yield "absent-values"
            return
        service, name = reading.service, difference.part
        if choices := [*_list_stored_choices(service, name)] if service else []:
            yield from choices
            return
        if service is None or name in ("id", "service"):
            yield "created"
        else:
            yield from _suspect_value(service, name)
        # Last: the case may be about another property than the one that differs.
        if rule and self.catalogue[rule].kind == "effect":
            yield rule


def _suspect_credential(reading: Reading) -> Iterator[str]:
    if isinstance(reading.properties.get(CREDENTIAL_PROPERTY), str):
        yield "unknown-credentials"


def _suspect_lengths(reading: Reading) -> Iterator[str]:
    """Yield the rules about lengths that a server may call broken which counts them in bytes."""
    yield from filter(None, (find_length_rule(name, value) for name, value in reading.properties.items()))


def _list_stored_choices(service: KnownService, name: str) -> Iterator[str]:
    """Yield the choices that decide how a property of a service is shown."""
    if service.type == "external" and name == "docker_image":
        yield "unused-docker-image"
        return
    value = service.values.get(name)
    items = value if isinstance(value, list) else []
    distinct = [item for place, item in enumerate(items) if item not in items[:place]]
    if len(distinct) < len(items):
        yield "repeated-items"
    if repeats_env_name(distinct):
        yield "repeated-env-names"
    if has_unknown_item_properties(name, value):
        yield "unknown-item-properties"
    if unused := UNUSED.get((service.type, name)):
        yield unused


def _suspect_value(service: KnownService, name: str) -> Iterator[str]:
    """Yield why a property of a service is stored otherwise."""
    if name in _IMMUTABLE and service.updates:
        yield _IMMUTABLE[name]
        return
    if name not in service.writes:
        yield DEFAULT_RULES.get(name, "created-stored")
        return
    is_null = service.values[name] is None  # read as absent by both, since both accepted it
    if service.writes[name] < service.updates or (is_null and name != CREDENTIAL_PROPERTY):
        yield "update-keeps-omitted"
    if is_null and name == CREDENTIAL_PROPERTY:
        yield "external-credential-null-keeps"
    elif not is_null:
        yield "updated-stored" if service.writes[name] else "created-stored"
