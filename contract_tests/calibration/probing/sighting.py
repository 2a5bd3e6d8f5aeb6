"""Sightings: the answer to one request, and the option of one choice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from contract_tests.contract.choices import Option

Confidence = Literal["high", "medium"]
Reaction = Literal["accepted", "refused", ""]
_MOST_ANSWERS = 3  # that an evidence names


class CannotSee(Exception):  # noqa: N818 - not an error: this calibration cannot see the choice
    """A choice that could not be seen; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one request.

    ``sent`` is the request in words, without secrets. ``reaction`` is empty where the answer proves nothing, and
    ``reason`` says why. ``broken_rule`` is the rule that a server error breaks, or an answer that no page allows.
    """

    sent: str
    reaction: Reaction
    status: int = 0
    media_type: str = ""
    text: str = ""
    reason: str = ""
    broken_rule: str = ""

    def tell(self) -> str:
        """Return the answer in words."""
        return f"{self.sent} was answered {self.status}" if self.status else f"{self.sent} had no answer"


@dataclass(frozen=True, slots=True)
class Sighting:
    """The option of one choice, and the answers that show it, in words.

    The confidence is medium where a part of the choice was not tried, or texts of refusals were compared.
    """

    option: Option
    evidence: str
    confidence: Confidence = "high"


def see(option: Option, answers: Sequence[Answer], confidence: Confidence = "high") -> Sighting:
    """Return the sighting of an option in answers."""
    told = [answer.tell() for answer in answers]
    more = f"; and {len(told) - _MOST_ANSWERS} more like these" if len(told) > _MOST_ANSWERS else ""
    return Sighting(option, "; ".join(told[:_MOST_ANSWERS]) + more, confidence)


def require_reaction(answer: Answer, reaction: Literal["accepted", "refused"]) -> Answer:
    """Return the answer if it has this reaction and breaks no rule; raise CannotSee otherwise."""
    if answer.broken_rule:
        raise CannotSee(f"{answer.tell()}, which breaks the rule {answer.broken_rule}")
    if answer.reaction != reaction:
        why = answer.reason or f"it was to be {reaction}"
        raise CannotSee(f"{answer.tell()}, which proves nothing: {why}")
    return answer


def find_reaction(answers: Iterable[Answer]) -> Literal["accepted", "refused"]:
    """Return the reaction that all answers have; raise CannotSee if they differ, or one proves nothing."""
    first, *others = answers
    if first.reaction == "":
        require_reaction(first, "accepted")
    for answer in (first, *others):
        if answer.reaction != first.reaction:
            raise CannotSee(f"the answers differ: {first.tell()}, {answer.tell()}")
        if answer.broken_rule:
            require_reaction(answer, "accepted")
    return "accepted" if first.reaction == "accepted" else "refused"


def see_status(answers: Sequence[Answer]) -> Sighting:
    """Return the status that all these refusals have; raise CannotSee if they differ, or one is no refusal."""
    first = require_reaction(answers[0], "refused")
    for answer in answers[1:]:
        if require_reaction(answer, "refused").status != first.status:
            raise CannotSee(f"the statuses differ: {first.tell()}, {answer.tell()}")
    return see(first.status, answers)
