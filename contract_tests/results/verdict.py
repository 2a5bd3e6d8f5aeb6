"""Verdicts per rule, from all layers together, and the report of a whole run."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from contract_tests.cases.model import LAYERS, Layer
from contract_tests.contract.profile import Departure
from contract_tests.contract.rules import Catalogue, Rule
from contract_tests.contract.waivers import Waiver
from contract_tests.results.aggregate import Aggregate, Deviation, DeviationKind
from contract_tests.results.chosen import Chosen
from contract_tests.results.comparison import (
    Comparison,
    KnownFinding,
    ReportSummary,
    compare_reports,
    format_age,
)
from contract_tests.results.finding_keys import list_read_back, shows_null_alone
from contract_tests.results.findings import Finding, build_findings
from contract_tests.results.judge import ID_ERRORS, Outcome
from contract_tests.results.statistics import excluded_rate
from contract_tests.targets.exchange import Exchange

# Rules that are observed through others: they cannot be judged while one of those is broken.
_PREREQUISITES: Mapping[str, tuple[str, ...]] = {
    "slug-immutable": ("slug-unique", "update-keeps-omitted"),
    "service-type-immutable": (
        "external-url-on-external-only",
        "external-credential-on-external-only",
        "service-type-default",
    ),
    "update-partial": ("created",),
    "update-keeps-omitted": ("created-stored", "updated-stored"),
    "updated-stored": ("created-stored",),
    "external-credential-null-keeps": ("created-stored", "update-keeps-omitted"),
}

#: Share of the tried rules that must have a verdict.
MIN_JUDGED = 0.5

Verdict = Literal["conforms", "violated", "inconclusive", "not observed", "waived", "known"]


#: Begins why a run ended early that reached its time limit.
STOPPED_AFTER = "stopped after --time"


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """The verdict on one rule.

    A rule is known if it is violated, and the baseline has every finding that would fail the run. ``severity`` is a
    note if the rule is only assumed: the target chose another behaviour. ``layers`` counts the outcomes per layer.
    ``reason`` explains an undecided verdict, or describes the target's choice. ``tries`` is the number of independent
    requests behind a rule that conforms.
    """

    rule: Rule
    verdict: Verdict
    severity: Literal["failure", "note", ""]
    reason: str
    layers: Mapping[Layer, Mapping[Outcome, int]]
    tries: int = 0

    @property
    def excluded_rate(self) -> float | None:
        """The rate above which a fault would have shown, with 95 % confidence; None unless the rule conforms."""
        return excluded_rate(self.tries) if self.tries else None

    @property
    def fails(self) -> bool:
        """True if this rule makes the run fail."""
        return self.verdict == "violated" and self.severity == "failure"


@dataclass(frozen=True, slots=True)
class LayerSummary:
    """Cases run, requests sent and seconds taken in one layer."""

    cases: int
    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """Everything about one run, without secrets.

    ``cut_short`` says why the run ended early, if it did. ``unusable_callers`` names the callers that the run could
    not use, each with the reason. ``min_judged`` is the smallest share of rules that makes a verdict.
    ``comparison`` is the difference to an earlier report, if one is given; ``departures`` are those from a profile.
    ``contract`` is a digest of the contract. ``chosen`` has the choices that were seen.
    """

    target: str
    started: str
    seconds: float
    seed: int
    strict: bool
    callers: tuple[str, ...]
    verdicts: tuple[RuleVerdict, ...]
    findings: tuple[Finding, ...]
    layers: Mapping[Layer, LayerSummary]
    requests: int
    created: int
    notes: tuple[str, ...] = ()
    unusable_callers: tuple[str, ...] = ()
    min_judged: float = MIN_JUDGED
    cut_short: str = ""
    expired: tuple[Waiver, ...] = ()
    traffic: tuple[Exchange, ...] = field(default=(), repr=False)
    comparison: Comparison | None = None
    departures: tuple[Departure, ...] = ()
    contract: str = ""
    chosen: tuple[Chosen, ...] = ()

    @property
    def exit_code(self) -> int:
        """The exit code of the run.

        0: conforms. 1: violated, a waiver has expired, or a strict run saw a drift. 3: the target went away, the
        suite failed, too few rules could be judged, or a caller could not be used. 130: interrupted before that.
        """
        if self.expired or self.drift or any(v.fails for v in self.verdicts):
            return 1
        if self.cut_short == "interrupted":
            return 130
        return 3 if self.judged_too_little or self.unusable_callers else 0

    @property
    def drift(self) -> tuple[Departure, ...]:
        """The departures that fail the run: the certain ones of a strict run."""
        return tuple(one for one in self.departures if self.strict and one.seen.is_certain)

    @property
    def stopped_as_asked(self) -> bool:
        """True if nothing but the wanted time limit ended the run."""
        return self.cut_short.startswith(STOPPED_AFTER)

    @property
    def judged(self) -> int:
        """The number of rules that have a verdict."""
        return sum(row.verdict not in _UNDECIDED_OUTCOMES for row in self.verdicts)

    @property
    def judged_too_little(self) -> bool:
        """True if the run could not be finished, or has a verdict on too few of the rules that it tried."""
        lost = self.cut_short.startswith(("the target", "an error"))
        tried = [row for row in self.verdicts if self.cut_short or any(map(bool, row.layers.values()))]
        return lost or not self.judged or self.judged < self.min_judged * len(tried)

    @property
    def known(self) -> Mapping[str, str]:
        """The ids of the findings that the baseline has, each with the start of the first run that saw it."""
        if self.comparison is None or not self.comparison.is_baseline:
            return {}
        since = self.comparison.first_seen
        known = (finding for finding in self.findings if all(key in since for key in finding.keys))
        return {finding.id: min(since[key] for key in finding.keys) for finding in known}

    def summarize(self) -> ReportSummary:
        """Return what a later run needs of the report; a finding keeps the time when it was first seen."""
        since = self.comparison.first_seen if self.comparison else {}
        findings = (
            KnownFinding(key, since.get(key, self.started), finding.severity == "note")
            for finding in self.findings
            for key in finding.keys
        )
        return ReportSummary(
            name="",
            started=self.started,
            findings=tuple(findings),
            judged=frozenset(row.rule.id for row in self.verdicts if row.verdict not in _UNDECIDED_OUTCOMES),
        )

    def compare_with(self, earlier: ReportSummary, *, is_baseline: bool = False) -> "Report":
        """Return the report with the difference to an earlier one; what a baseline has does not fail it."""
        comparison = compare_reports(earlier, self.summarize(), is_baseline=is_baseline)
        compared = replace(self, comparison=comparison)
        known = compared.known
        return replace(compared, verdicts=tuple(_excuse_known(row, compared, known) for row in self.verdicts))

    def count_verdicts(self) -> Mapping[str, int]:
        """Count the rules per verdict; a violated rule that is only assumed counts as a note."""
        return Counter(
            "note" if v.verdict == "violated" and not v.fails else v.verdict for v in self.verdicts
        )


def _excuse_known(row: RuleVerdict, report: Report, known: Mapping[str, str]) -> RuleVerdict:
    """Return the verdict on a rule; it is ``known`` if the baseline has all findings that fail it."""
    own = [one for one in report.findings if one.rule.id == row.rule.id and one.severity == "failure"]
    if not row.fails or any(finding.id not in known for finding in own):
        return row
    age = format_age(min(known[finding.id] for finding in own), report.started)
    return replace(row, verdict="known", reason=f"{row.reason}; {age}")


def decide_verdicts(
    aggregate: Aggregate,
    catalogue: Catalogue,
    waivers: Mapping[str, Waiver],
    *,
    strict: bool = False,
    left_out: Container[str] = (),
    refuse_only: bool = False,
) -> tuple[tuple[RuleVerdict, ...], tuple[Finding, ...]]:
    """Return the verdict on every rule, and the findings behind them.

    ``left_out`` are the rules of which a budget left out cases. A run with ``refuse_only`` left out valid requests.
    """
    kept = _drop_consequences(aggregate)
    findings = build_findings(kept.deviations.values(), catalogue, strict=strict)
    rows = (_decide_verdict(rule, kept, findings, waivers.get(rule.id)) for rule in catalogue.values())
    named = (_name_budget(row, left_out) for row in rows)
    return tuple(_name_refuse_only(row) if refuse_only else row for row in named), findings


def _name_budget(row: RuleVerdict, left_out: Container[str]) -> RuleVerdict:
    """Return an undecided verdict with the budget as its reason, if it left out cases that may decide it."""
    if row.verdict != "not observed" or row.rule.id not in left_out:
        return row
    reason = BUDGET_LEFT_OUT if row.reason in _NO_CASES else f"{row.reason}; other cases: {BUDGET_LEFT_OUT}"
    return replace(row, reason=reason)


def _name_refuse_only(row: RuleVerdict) -> RuleVerdict:
    """Return a rule of which no case was run with ``--refuse-only`` as the reason."""
    unseen = row.verdict == "not observed" and row.reason in _NO_CASES
    return replace(row, reason=REFUSE_ONLY_LEFT_OUT) if unseen else row


def _drop_consequences(aggregate: Aggregate) -> Aggregate:
    """Return the aggregate without the violations that follow from another broken rule: they prove nothing."""
    kept = replace(
        aggregate,
        outcomes=Counter(aggregate.outcomes),
        reasons=Counter(aggregate.reasons),
        unproven=set(aggregate.unproven),
        deviations={},
    )
    for kind, deviation in aggregate.deviations.items():
        rule = kind[0]
        cause = _find_cause(kind, deviation, aggregate.deviations)
        if not cause:
            kept.deviations[kind] = deviation
            continue
        kept.unproven |= {(rule, expectation) for of, expectation in aggregate.shown if of == rule}
        kept.reasons[rule, "inconclusive", f"cannot be checked until {cause} is fixed"] += deviation.count
        for layer, number in deviation.layers.items():
            kept.outcomes[rule, layer, "violated"] -= number
            kept.outcomes[rule, layer, "inconclusive"] += number
    return kept


def _find_cause(
    kind: DeviationKind, deviation: Deviation, deviations: Mapping[DeviationKind, Deviation]
) -> str:
    """Return the broken rule from which a violation follows, or an empty string.

    A wrong value in a read-back follows only from a rule that is broken for the same property. A null may be read as
    no value: where a required property may be left out, one that is accepted proves nothing about its type.
    """
    rule, is_server_error, by_id = kind[0], kind[-2], kind[-1]
    wrong_id = any(of == "created" and reason in ID_ERRORS for of, _, reason, _, _ in deviations)
    if wrong_id and by_id and not is_server_error:
        return "created"  # while a create returns a wrong id, requests by id prove nothing
    required = f"{rule.removesuffix('-type')}-required"
    if (
        shows_null_alone(deviation.inputs)
        and not is_server_error
        and any(of == required for of, *_ in deviations)
    ):
        return required
    names = list_read_back(deviation.inputs)
    for cause in _PREREQUISITES.get(rule, ()):
        shown = [list_read_back(other.inputs) for (of, *_), other in deviations.items() if of == cause]
        if shown and (not names or not all(shown) or names <= frozenset().union(*shown)):
            return cause
    return ""


def _decide_verdict(
    rule: Rule, aggregate: Aggregate, findings: Iterable[Finding], waiver: Waiver | None
) -> RuleVerdict:
    layers = _count_by_layer(rule, aggregate)
    own = [finding for finding in findings if finding.rule.id == rule.id]
    if own:
        severity: Literal["failure", "note"] = (
            "failure" if any(f.severity == "failure" for f in own) else "note"
        )
        if waiver and not waiver.expired:
            return RuleVerdict(rule, "waived", severity, f"{waiver.reason} (until {waiver.until})", layers)
        return RuleVerdict(rule, "violated", severity, own[0].reason, layers)
    deciding = {(rule.id, expectation) for expectation in DECIDING_EXPECTATIONS[rule.kind]}
    if deciding & aggregate.shown and not deciding & aggregate.unproven:
        tries = sum(aggregate.tries[key] for key in deciding)
        return RuleVerdict(rule, "conforms", "", "", layers, tries)
    return RuleVerdict(rule, *_explain_undecided(rule, aggregate), layers)


#: Expectations that prove a rule: refusals a constraint, acceptance a permission, either an effect.
DECIDING_EXPECTATIONS: Mapping[str, tuple[str, ...]] = {
    "constraint": ("refuse", "race"),
    "permission": ("accept",),
    "effect": ("accept", "refuse", "race"),
}


def _explain_undecided(rule: Rule, aggregate: Aggregate) -> tuple[Verdict, Literal[""], str]:
    for outcome in _UNDECIDED_OUTCOMES:
        reasons = Counter(
            {text: n for (of, kind, text), n in aggregate.reasons.items() if (of, kind) == (rule.id, outcome)}
        )
        if reasons:
            return outcome, "", reasons.most_common(1)[0][0]
    ran = any(of == rule.id for of, _, _ in aggregate.outcomes)
    return "not observed", "", _NO_CASES[not ran]


#: Reasons of a rule of which a case, or no case, was run.
_NO_CASES = ("no case that could have failed was run", "no case of this rule was run")
BUDGET_LEFT_OUT = "left out by --budget"
REFUSE_ONLY_LEFT_OUT = "--refuse-only sends nothing that may be accepted"


_UNDECIDED_OUTCOMES: tuple[Literal["inconclusive", "not observed"], ...] = ("inconclusive", "not observed")


def _count_by_layer(rule: Rule, aggregate: Aggregate) -> Mapping[Layer, Mapping[Outcome, int]]:
    layers: dict[Layer, Counter[Outcome]] = {layer: Counter() for layer in LAYERS}
    for (of, layer, outcome), number in aggregate.outcomes.items():
        if of == rule.id and number:
            layers[layer][outcome] += number
    return layers
