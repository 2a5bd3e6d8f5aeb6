"""How a deployment chose on the points that the reference pages leave open, as the answers of a run show it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from contract_tests.contract.choices import Choice, load_choices
from contract_tests.contract.files.json_text import parse_json
from contract_tests.generation.oracle import LARGE_BODY_BYTES, Prediction, predict
from contract_tests.results.judge import SUCCESS_RULES
from contract_tests.results.observation import Observation

#: Rule or choice, operation, and the status of an answer.
Answer = tuple[str, str, int]

#: Choices whose options a plain acceptance or refusal tells apart.
_OPTIONS = 2
#: Options with which a request is refused; with the others of such a choice it is accepted.
_REFUSING = ("refused", "exact")
#: What a deployment chose that accepts some of the requests about a choice and refuses others.
_BOTH_WAYS = {"media-type-parameters": "not-another-charset or utf-8"}


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
        """The answers in one line, each by the option of a profile that it shows."""
        counts = ", ".join(f"{self._name_option(one)} ({number})" for one, number in self.answers.items())
        both = _BOTH_WAYS.get(
            self.choice.id, "seen both ways" if len(self.choice.options) == _OPTIONS else ""
        )
        return f"{both}: {counts}" if both and len(self.answers) > 1 else counts

    def _name_option(self, answer: str) -> str:
        """Return the options that an answer leaves, or the answer itself where it tells none apart."""
        options = self.choice.options
        if not {*options} & {*_REFUSING}:
            return answer
        return " or ".join(one for one in options if (one in _REFUSING) is (answer == "refused"))


def find_answer(observation: Observation) -> Answer | None:
    """Return what a case that passed shows about the rule that it breaks or the choice that it names.

    A refusal shows it only if the request has no other fault, and touches no other open point.
    """
    case, judgement = observation.case, observation.judgement
    if judgement.outcome != "passed" or not observation.exchanges or case.layer == "race":
        return None
    step, status = case.steps[-1], observation.exchanges[-1].status
    if step.operation not in SUCCESS_RULES or (status >= 300 and not _has_single_fault(observation)):
        return None
    subjects = {"open": step.choice, "refuse": judgement.rule, "accept": SUCCESS_RULES[step.operation]}
    subject = subjects[case.expect]
    return (subject, step.operation, status) if subject else None


def _has_single_fault(observation: Observation) -> bool:
    """Return whether a refused request has one fault or open point: the one that its case is about."""
    case, rule = observation.case, observation.judgement.rule
    prediction = _predict_sent(observation)
    if case.expect == "open":
        return not prediction.broken_rules and len(set(_merge_nulls(prediction))) <= 1
    # A generated scenario may break several rules about stored state, which no body shows.
    if case.id.startswith("trace/"):
        return False
    # An empty team may be a malformed or a missing one.
    if ("X-Team-ID", "") in case.steps[-1].headers:
        return False
    # A large body may be refused for its size.
    if rule != "body-size" and len(observation.exchanges[-1].body or "") > LARGE_BODY_BYTES:
        return False
    statuses = _map_status_choices()
    one_choice = all(statuses.get(other) == statuses.get(rule) for other in prediction.broken_rules)
    return one_choice and not prediction.open_points


def _predict_sent(observation: Observation) -> Prediction:
    """Return the prediction for the body as it was sent; an empty one if it is not JSON or stored in part."""
    case, body = observation.case, observation.exchanges[-1].body
    try:
        sent = parse_json(body or "")
    except ValueError:
        return Prediction(frozenset(), frozenset())
    return predict(case.operation, sent, case.service_type)


def _merge_nulls(prediction: Prediction) -> Iterator[str]:
    """Yield the open points; null properties are one, whatever their number."""
    for point in prediction.open_points:
        yield "null" if point.startswith("null ") else point


@cache
def _map_status_choices() -> Mapping[str, str]:
    """Return, for each rule, the choice about the status of its refusal."""
    choices = load_choices().values()
    return {rule: choice.id for choice in choices if choice.is_refusal_status for rule in choice.rules}


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
