"""Says in one sentence what happened in a case of several requests."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from contract_tests.cases.model import SHARED_PREFIX, Case, Step
from contract_tests.results.judge import Judgement
from contract_tests.targets.exchange import Exchange

_MAX_CLAUSES, _MAX_NAMES = 4, 3
_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_SMALL_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_REQUIRED = {"refuse": "it must be refused", "accept": "it must be accepted"}


def tell_story(case: Case, exchanges: Sequence[Exchange], judgement: Judgement) -> str:
    """Return what happened, in one sentence; an empty string if a single request shows it."""
    if case.layer == "race":
        return _tell_race(case, exchanges)
    events = _pair_steps(case, exchanges)
    if len(events) < 2 or case.starts_with_control:
        return ""
    teller = _Teller(
        several_callers=len({event.exchange.caller for event in events if event.exchange}) > 1,
        several_teams=len({event.step.team for event in events if event.step.team}) > 1,
        slugs_matter=_has_shared_slug(event.step for event in events),
        named={event.step.service for event in events if event.step.operation != "createContainer"},
    )
    clauses = teller.tell_earlier(events[:-1])
    last = teller.tell_last(events[-1], judgement)
    return f"After {_join(clauses)}, {last}."


@dataclass(frozen=True, slots=True)
class _Event:
    """A step, and the exchange that was made for it; none for a status set by the control hook."""

    step: Step
    exchange: Exchange | None

    @property
    def status(self) -> int:
        """The status of the response, 0 without one."""
        return self.exchange.status if self.exchange else 200

    @property
    def accepted(self) -> bool:
        """True after a success."""
        return 200 <= self.status < 300


@dataclass(slots=True)
class _Teller:
    """Puts events into words; remembers the slugs and the services that it has mentioned."""

    several_callers: bool
    several_teams: bool
    slugs_matter: bool
    named: Collection[str]
    _slugs: list[str] = field(default_factory=list)
    _services: list[str] = field(default_factory=list)
    _created: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def tell_earlier(self, events: Sequence[_Event]) -> list[str]:
        """Return a clause for each event, or for several alike; those in the middle of many are only counted."""
        clauses = []
        for (key, _), group in groupby(enumerate(events), key=lambda pair: self._alike(pair[1], pair[0])):
            same = [event for _, event in group]
            clauses.append(
                self._tell_one(same[0]) if key else f"{_count(len(same))} other services were created"
            )
        clauses = [_repeat(text, len([*same])) for text, same in groupby(clauses)]
        omitted = len(clauses) - _MAX_CLAUSES
        if omitted > 0:
            half = _MAX_CLAUSES // 2
            were_sent = "request was" if omitted == 1 else "requests were"
            clauses[half:-half] = [f"{_count(omitted)} other {were_sent} sent"]
        return clauses

    def _alike(self, event: _Event, number: int) -> tuple[int, str]:
        """Return the same key for creates of services that no other step names."""
        step = event.step
        created = step.operation == "createContainer" and event.accepted
        plain = created and not step.slug and step.as_ not in {"service", *self.named}
        return (0, step.as_.rpartition("-")[0]) if plain else (number + 1, "")

    def tell_last(self, event: _Event, judgement: Judgement) -> str:
        """Return the event that decides, with the correct outcome."""
        step = event.step
        if step.operation == "readContainer":
            created = self._created.get(step.service, {})
            return f"the read-back of {self._service(step)} showed {_tell_differences(judgement, created)}"
        subject = self._subject(event) + _name_property(step, judgement)
        reaction = (
            "got no response" if not event.status
            else f"got a server error ({event.status})" if event.status >= 500
            else f"was {'accepted' if event.accepted else 'refused'} ({event.status})"
        )  # fmt: skip
        required = (
            "" if event.status >= 500 or not event.status else _REQUIRED.get(step.expect or "accept", "")
        )
        return f"{subject} {reaction}{'; ' if required else ''}{required}"

    def _tell_one(self, event: _Event) -> str:
        step = event.step
        if step.operation == "setStatus":
            return f"the status of {self._service(step)} was set to {step.status}"
        if step.operation == "readContainer":
            return f"{self._service(step)} was read back{self._by(event)}"
        if step.operation == "createContainer" and event.accepted:
            service = self._new_service(step)
            return f"{service} was created{self._slug(step, 'with')}{self._by(event)}"
        outcome = "was accepted" if event.accepted else f"was refused ({event.status})"
        return f"{self._subject(event)} {outcome}"

    def _subject(self, event: _Event) -> str:
        step = event.step
        if step.operation == "createContainer":
            return f"a create{self._slug(step, 'with')}{self._by(event)}"
        return f"an update of {self._service(step)}{self._tell_changes(step)}{self._by(event)}"

    def _tell_changes(self, step: Step) -> str:
        body = step.body if isinstance(step.body, dict) else {}
        changes = []
        if list(body) == ["service_type"]:
            changes.append(f"named the type {body['service_type']}")
        elif body and all(value is None for value in body.values()):
            changes.append(f"sent null as {_name_properties(body)}")
        elif body:
            changes.append(f"set {_name_properties(body)}")
        if slug := self._slug(step, "named"):
            changes.append(slug.strip())
        return f" that {_join(changes)}" if changes else ""

    def _by(self, event: _Event) -> str:
        told = event.exchange and (self.several_callers or self.several_teams)
        caller = f" by {event.exchange.caller}" if event.exchange and told else ""
        return f"{caller} for team {event.step.team}" if self.several_teams and event.step.team else caller

    def _slug(self, step: Step, word: str) -> str:
        """Return the slug of a step in words, if the case is about slugs."""
        if not step.slug or not (self.slugs_matter or step.operation == "updateContainer"):
            return ""
        if step.slug not in self._slugs:
            self._slugs.append(step.slug)
            return f" {word} {'a slug' if len(self._slugs) == 1 else 'another slug'}"
        if len(self._slugs) == 1:
            return f" {word} the same slug"
        return f" {word} the {_ordinal(self._slugs.index(step.slug))} slug"

    def _new_service(self, step: Step) -> str:
        if step.as_ not in self._services:
            self._services.append(step.as_)
        body = step.body if isinstance(step.body, dict) else {}
        self._created[step.as_] = body
        kind = body.get("service_type")
        word = "external service" if kind == "external" else "service"
        if len(self._services) > 1:
            return f"another {word}"
        return f"{'an' if kind == 'external' else 'a'} {word}"

    def _service(self, step: Step) -> str:
        if step.service.startswith(SHARED_PREFIX):
            return f"a service of type {step.service.removeprefix(SHARED_PREFIX)}"
        if step.service not in self._services:
            return "the service" if step.service == "service" else f"the service {step.service}"
        if len(self._services) == 1:
            return "the service"
        return f"the {_ordinal(self._services.index(step.service))} service"


def _pair_steps(case: Case, exchanges: Sequence[Exchange]) -> list[_Event]:
    """Return the steps that were done; the last exchange belongs to the last of them."""
    events: list[_Event] = []
    left = list(exchanges)
    for step in case.steps:
        if step.operation == "setStatus":
            events.append(_Event(step, None))
        elif left:
            events.append(_Event(step, left.pop(0)))
    while events and events[-1].exchange is None:
        events.pop()
    if left and events:
        events[-1] = _Event(events[-1].step, left[-1])
    return events


def _has_shared_slug(steps: Iterable[Step]) -> bool:
    """Return whether two steps name the same slug."""
    labels = Counter(step.slug for step in steps if step.slug)
    return any(number > 1 for number in labels.values())


def _name_property(step: Step, judgement: Judgement) -> str:
    """Return the property of a create that the broken rule is about: the sentence tells its slug alone."""
    body = step.body if step.operation == "createContainer" and isinstance(step.body, dict) else {}
    about = [name for name in body if judgement.rule.startswith(f"{name.replace('_', '-')}-")]
    return f" that set {_join(about)}" if about else ""


def _tell_differences(judgement: Judgement, created: Mapping[str, Any]) -> str:
    if not judgement.differences:
        return "another service"
    name, received, expected = judgement.differences[0]
    more = len(judgement.differences) - 1
    others = f" and {more} more difference{'s' if more > 1 else ''}" if more else ""
    shown = f"{name} {received}" if received != "absent" else f"no {name}"
    old = ", its value at creation," if name in created and json.dumps(created[name]) == received else ""
    return f"{shown}{old} in place of {expected}{others}"


def _tell_race(case: Case, exchanges: Sequence[Exchange]) -> str:
    raced = [step for step in case.steps if step.expect is not None]
    sent = list(exchanges)[-len(raced) :] if raced else []
    if not sent:
        return ""
    creating = raced[0].operation == "createContainer"
    subject = "creates with the same slug" if creating else "updates of one service"
    counts = Counter(exchange.status for exchange in sent)
    results = _join([f"{_count(n)} got {status or 'no response'}" for status, n in sorted(counts.items())])
    rule = "; only one may be accepted" if creating else ""
    return f"{_count(len(sent)).capitalize()} {subject} were sent at the same moment: {results}{rule}."


def _repeat(clause: str, times: int) -> str:
    return clause if times == 1 else f"{clause} {'twice' if times == 2 else f'{_count(times)} times'}"


def _name_properties(body: Mapping[str, Any]) -> str:
    return _join(list(body)) if len(body) <= _MAX_NAMES else f"{len(body)} properties"


def _join(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _count(number: int) -> str:
    return _SMALL_NUMBERS[number] if number < len(_SMALL_NUMBERS) else str(number)


def _ordinal(index: int) -> str:
    return _ORDINALS[index] if index < len(_ORDINALS) else f"{index + 1}th"
