"""How a deployment chose on the points that the reference pages leave open, as the answers of a run show it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from contract_tests.contract.choices import Choice
from contract_tests.results.judge import SUCCESS_RULES
from contract_tests.results.observation import Observation

#: Rule or choice, operation, and the status of an answer.
Answer = tuple[str, str, int]

#: Choices whose options a plain acceptance or refusal tells apart.
_OPTIONS = 2


@dataclass(frozen=True, slots=True)
class Chosen:
    """The answers to the requests about one choice, in words, each with the number of requests."""

    choice: Choice
    answers: Mapping[str, int]

    @property
    def is_unusual(self) -> bool:
        """True if an answer is none of the usual option, where answers can tell that."""
        if self.choice.number:
            return any(answer != str(self.choice.usual) for answer in self.answers)
        usual = "refused" if self.choice.usual == "refused" else "accepted"
        return len(self.choice.options) == _OPTIONS and any(answer != usual for answer in self.answers)

    @property
    def summary(self) -> str:
        """The answers in one line."""
        return ", ".join(f"{answer} ({number})" for answer, number in self.answers.items())


def find_answer(observation: Observation) -> Answer | None:
    """Return what a case that passed shows about the rule that it breaks or the choice that it names."""
    case, judgement = observation.case, observation.judgement
    if judgement.outcome != "passed" or not observation.exchanges or case.layer == "race":
        return None
    step, status = case.steps[-1], observation.exchanges[-1].status
    if step.operation not in SUCCESS_RULES:
        return None
    subjects = {"open": step.choice, "refuse": judgement.rule, "accept": SUCCESS_RULES[step.operation]}
    subject = subjects[case.expect]
    return (subject, step.operation, status) if subject else None


def list_chosen(answers: Mapping[Answer, int], choices: Mapping[str, Choice]) -> tuple[Chosen, ...]:
    """Return the choices that a run saw, in the order of ``choices.yaml``."""
    found = ((choice, _count_answers(choice, answers)) for choice in choices.values())
    return tuple(Chosen(choice, dict(counts.most_common())) for choice, counts in found if counts)


def _count_answers(choice: Choice, answers: Mapping[Answer, int]) -> Counter[str]:
    """Count the answers about a choice: a status, or whether the request was accepted."""
    counts: Counter[str] = Counter()
    for (subject, operation, status), number in answers.items():
        if choice.number in ("4xx", "2xx"):
            fits = f"{status // 100}xx" == choice.number and operation in choice.operations
            if fits and subject in choice.rules:
                counts[str(status)] += number
        elif subject == choice.id:
            counts["accepted" if status < 300 else "refused"] += number
    return counts
