"""Verdicts per rule, from all layers together, and the report of a whole run."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from contract_tests.cases.model import LAYERS, Layer
from contract_tests.contract.rules import Catalogue, Rule
from contract_tests.results.aggregate import Aggregate
from contract_tests.results.chosen import Chosen
from contract_tests.results.comparison import Comparison, EarlierReport, compare_findings
from contract_tests.results.findings import Finding, build_findings
from contract_tests.results.judge import ID_ERRORS, Outcome
from contract_tests.results.waivers import Waiver
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

Verdict = Literal["conforms", "violated", "inconclusive", "not observed", "waived"]


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """The verdict on one rule.

    ``severity`` is a note if the rule is only assumed: the target chose another behaviour. ``layers`` counts the
    outcomes per layer. ``reason`` explains an undecided verdict, or describes the target's choice.
    """

    rule: Rule
    verdict: Verdict
    severity: Literal["failure", "note", ""]
    reason: str
    layers: Mapping[Layer, Mapping[Outcome, int]]

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
    ``comparison`` is the difference to an earlier report, if one is given. ``chosen`` has the choices that were seen.
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
    chosen: tuple[Chosen, ...] = ()

    @property
    def exit_code(self) -> int:
        """The exit code of the run.

        0: conforms. 1: violated, or a waiver has expired. 3: the target went away, the suite failed, too few rules
        could be judged, or a caller could not be used. 130: interrupted before a violation.
        """
        if self.expired or any(v.fails for v in self.verdicts):
            return 1
        if self.cut_short == "interrupted":
            return 130
        return 3 if self.judged_too_little or self.unusable_callers else 0

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

    def compare_with(self, earlier: EarlierReport | None) -> "Report":
        """Return the report with the difference to an earlier one; the same report without one."""
        if earlier is None:
            return self
        judged = {row.rule.id for row in self.verdicts if row.verdict not in _UNDECIDED_OUTCOMES}
        return replace(self, comparison=compare_findings(earlier, self.findings, judged))

    def count_verdicts(self) -> Mapping[str, int]:
        """Count the rules per verdict; a violated rule that is only assumed counts as a note."""
        return Counter(
            "note" if v.verdict == "violated" and not v.fails else v.verdict for v in self.verdicts
        )


def decide_verdicts(
    aggregate: Aggregate, catalogue: Catalogue, waivers: Mapping[str, Waiver], *, strict: bool = False
) -> tuple[tuple[RuleVerdict, ...], tuple[Finding, ...]]:
    """Return the verdict on every rule, and the findings behind them."""
    kept = _drop_consequences(aggregate)
    findings = build_findings(kept.deviations.values(), catalogue, strict=strict)
    rows = (_decide_verdict(rule, kept, findings, waivers.get(rule.id)) for rule in catalogue.values())
    return tuple(rows), findings


def _drop_consequences(aggregate: Aggregate) -> Aggregate:
    """Return the aggregate without the violations that follow from another broken rule."""
    broken = {kind[0] for kind in aggregate.deviations}
    wrong_id = any(
        rule == "created" and reason in ID_ERRORS for rule, _, reason, _, _ in aggregate.deviations
    )
    kept = Aggregate(
        Counter(aggregate.outcomes), Counter(aggregate.reasons), aggregate.shown, aggregate.unproven
    )
    for kind, deviation in aggregate.deviations.items():
        rule, by_id = kind[0], kind[-1]
        # While a create returns a wrong id, requests by id prove nothing.
        cause = "created" if wrong_id and by_id else _broken_prerequisite(rule, broken)
        if not cause:
            kept.deviations[kind] = deviation
            continue
        kept.reasons[rule, "inconclusive", f"cannot be checked until {cause} is fixed"] += deviation.count
        for layer, number in deviation.layers.items():
            kept.outcomes[rule, layer, "violated"] -= number
            kept.outcomes[rule, layer, "inconclusive"] += number
    return kept


def _broken_prerequisite(rule: str, broken: set[str]) -> str:
    return next((other for other in _PREREQUISITES.get(rule, ()) if other in broken), "")


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
    deciding = {(rule.id, expectation) for expectation in _DECIDING_EXPECTATIONS[rule.kind]}
    if deciding & aggregate.shown and not deciding & aggregate.unproven:
        return RuleVerdict(rule, "conforms", "", "", layers)
    return RuleVerdict(rule, *_explain_undecided(rule, aggregate), layers)


#: Expectations that prove a rule: refusals a constraint, acceptance a permission, either an effect.
_DECIDING_EXPECTATIONS: Mapping[str, tuple[str, ...]] = {
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
    reason = "no case that could have failed was run" if ran else "no case of this rule was run"
    return "not observed", "", reason


_UNDECIDED_OUTCOMES: tuple[Literal["inconclusive", "not observed"], ...] = ("inconclusive", "not observed")


def _count_by_layer(rule: Rule, aggregate: Aggregate) -> Mapping[Layer, Mapping[Outcome, int]]:
    layers: dict[Layer, Counter[Outcome]] = {layer: Counter() for layer in LAYERS}
    for (of, layer, outcome), number in aggregate.outcomes.items():
        if of == rule.id and number:
            layers[layer][outcome] += number
    return layers
