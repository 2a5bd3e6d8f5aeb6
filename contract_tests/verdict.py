"""The verdict per rule, from all layers together, and the report that holds everything of a run."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from contract_tests.case import LAYERS, Layer
from contract_tests.catalogue import Catalogue, Rule
from contract_tests.exchange import Exchange
from contract_tests.findings import Finding, findings
from contract_tests.judge import SAME_ID, Outcome
from contract_tests.player import Result
from contract_tests.waivers import Waiver

# Rules that can only be seen through others: where one of those is broken, nothing can be said of these.
_SEEN_THROUGH: Mapping[str, tuple[str, ...]] = {
    "slug-immutable": ("slug-unique",),
    "service-type-immutable": ("external-url-on-external-only", "service-type-default"),
    "update-partial": ("created",),
    "update-keeps-omitted": ("created-stored",),
    "updated-stored": ("created-stored",),
    "external-credential-null-keeps": ("created-stored", "update-keeps-omitted"),
}

Verdict = Literal["conforms", "violated", "inconclusive", "not observed", "waived"]


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """The verdict on one rule.

    ``severity`` is a note where the rule is only assumed: the target chose otherwise. ``layers`` counts the
    outcomes in each layer. ``reason`` says why there is no more to say, or what the target chose.
    """

    rule: Rule
    verdict: Verdict
    severity: Literal["failure", "note", ""]
    reason: str
    layers: Mapping[Layer, Mapping[Outcome, int]]

    @property
    def fails(self) -> bool:
        """Whether the run is red because of this rule."""
        return self.verdict == "violated" and self.severity == "failure"


@dataclass(frozen=True, slots=True)
class LayerSummary:
    """What one layer took: cases played, requests sent, seconds."""

    cases: int
    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """Everything of one run, secrets already taken out. ``cut_short`` says why the run ended early, if it did."""

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
    cut_short: str = ""
    expired: tuple[Waiver, ...] = ()
    traffic: tuple[Exchange, ...] = field(default=(), repr=False)

    @property
    def exit_code(self) -> int:
        """0 conforms, 1 violated (or a waiver has expired), 130 Ctrl-C came first.

        3 the target went away first, the suite itself failed, or not one rule could be judged.
        """
        if self.expired or any(v.fails for v in self.verdicts):
            return 1
        if self.cut_short == "interrupted":
            return 130
        return 3 if self.unjudged else 0

    @property
    def unjudged(self) -> bool:
        """Whether there is nothing that a verdict could rest on."""
        lost = self.cut_short.startswith(("the target", "an error"))
        return lost or all(row.verdict in ("inconclusive", "not observed") for row in self.verdicts)

    def counts(self) -> Mapping[str, int]:
        """How many rules got each verdict; an assumed rule that is chosen otherwise counts as a note."""
        return Counter(
            "note" if v.verdict == "violated" and not v.fails else v.verdict for v in self.verdicts
        )


def verdicts(
    results: Iterable[Result], catalogue: Catalogue, waivers: Mapping[str, Waiver], *, strict: bool = False
) -> tuple[tuple[RuleVerdict, ...], tuple[Finding, ...]]:
    """Return the verdict on every rule, and the findings behind them."""
    everything = _explained(list(results))
    found = findings(everything, catalogue, strict=strict)
    by_rule: dict[str, list[Result]] = {rule: [] for rule in catalogue}
    for result in everything:
        by_rule[result.judgement.rule].append(result)
    rows = [_verdict(catalogue[rule], by_rule[rule], found, waivers.get(rule)) for rule in catalogue]
    return tuple(rows), found


def _explained(results: list[Result]) -> list[Result]:
    """Take back what follows from another rule being broken."""
    violated = [r for r in results if r.judgement.outcome == "violated"]
    broken = {r.judgement.rule for r in violated}
    one_id = any(r.judgement.reason == SAME_ID for r in violated)
    return [
        replace(
            r,
            judgement=replace(
                r.judgement, outcome="inconclusive", reason=f"{why} is broken, through which it is seen"
            ),
        )
        if r.judgement.outcome == "violated"
        and (why := "created" if one_id and _by_id(r) else _through(r.judgement.rule, broken))
        else r
        for r in results
    ]


def _by_id(result: Result) -> bool:
    """Say whether it speaks of a service by an id, which tells nothing where several services have the same."""
    return result.judgement.rule != "created" and any(
        s.operation != "createContainer" for s in result.case.steps
    )


def _through(rule: str, broken: set[str]) -> str:
    return next((other for other in _SEEN_THROUGH.get(rule, ()) if other in broken), "")


def _verdict(
    rule: Rule, results: list[Result], found: Iterable[Finding], waiver: Waiver | None
) -> RuleVerdict:
    layers = {layer: _tally(results, layer) for layer in LAYERS}
    mine = [finding for finding in found if finding.rule.id == rule.id]
    if mine:
        severity: Literal["failure", "note"] = (
            "failure" if any(f.severity == "failure" for f in mine) else "note"
        )
        verdict: Verdict = "waived" if waiver and not waiver.expired else "violated"
        reason = f"{waiver.reason} (until {waiver.until})" if waiver else mine[0].reason
        return RuleVerdict(rule, verdict, severity, reason, layers)
    if any(_decides(result, rule) for result in results):
        return RuleVerdict(rule, "conforms", "", "", layers)
    return RuleVerdict(rule, *_undecided(results), layers)


def _undecided(results: list[Result]) -> tuple[Verdict, Literal[""], str]:
    reasons = {
        outcome: Counter(r.judgement.reason for r in results if r.judgement.outcome == outcome)
        for outcome in ("inconclusive", "not observed")
    }
    if reasons["inconclusive"]:
        return "inconclusive", "", reasons["inconclusive"].most_common(1)[0][0]
    if reasons["not observed"]:
        return "not observed", "", reasons["not observed"].most_common(1)[0][0]
    return (
        "not observed",
        "",
        "no case of it was played that could have failed" if results else "no case of it was played",
    )


def _decides(result: Result, rule: Rule) -> bool:
    """A constraint is shown by what is refused, a permission by what is accepted, an effect by either."""
    if result.judgement.outcome != "passed":
        return False
    if result.case.layer == "race":
        return rule.kind == "constraint"
    wanted = {"constraint": ("refuse",), "permission": ("accept",), "effect": ("accept", "refuse")}[rule.kind]
    return result.case.expect in wanted


def _tally(results: Iterable[Result], layer: Layer) -> Mapping[Outcome, int]:
    return Counter(result.judgement.outcome for result in results if result.case.layer == layer)
