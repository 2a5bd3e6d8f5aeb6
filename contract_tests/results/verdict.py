"""The verdict per rule, from all layers together, and the report that holds everything of a run."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from contract_tests.cases.model import LAYERS, Layer
from contract_tests.contract.rules import Catalogue, Rule
from contract_tests.results.aggregate import Tally
from contract_tests.results.findings import Finding, findings
from contract_tests.results.judge import SAME_ID, Outcome
from contract_tests.results.waivers import Waiver
from contract_tests.targets.exchange import Exchange

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
    tally: Tally, catalogue: Catalogue, waivers: Mapping[str, Waiver], *, strict: bool = False
) -> tuple[tuple[RuleVerdict, ...], tuple[Finding, ...]]:
    """Return the verdict on every rule, and the findings behind them."""
    told = _explained(tally)
    found = findings(told.deviations.values(), catalogue, strict=strict)
    return tuple(_verdict(rule, told, found, waivers.get(rule.id)) for rule in catalogue.values()), found


def _explained(tally: Tally) -> Tally:
    """Return the tally without what follows from another rule being broken."""
    broken = {kind[0] for kind in tally.deviations}
    one_id = any(reason == SAME_ID for _, _, reason, _, _ in tally.deviations)
    told = Tally(Counter(tally.outcomes), Counter(tally.reasons), tally.shown)
    for kind, sighting in tally.deviations.items():
        rule, by_id = kind[0], kind[-1]
        # Where several services have the same id, what is seen by an id tells nothing.
        why = "created" if one_id and by_id else _through(rule, broken)
        if not why:
            told.deviations[kind] = sighting
            continue
        told.reasons[rule, "inconclusive", f"{why} is broken, through which it is seen"] += sighting.count
        for layer, number in sighting.layers.items():
            told.outcomes[rule, layer, "violated"] -= number
            told.outcomes[rule, layer, "inconclusive"] += number
    return told


def _through(rule: str, broken: set[str]) -> str:
    return next((other for other in _SEEN_THROUGH.get(rule, ()) if other in broken), "")


def _verdict(rule: Rule, tally: Tally, found: Iterable[Finding], waiver: Waiver | None) -> RuleVerdict:
    layers = _layers(rule, tally)
    mine = [finding for finding in found if finding.rule.id == rule.id]
    if mine:
        severity: Literal["failure", "note"] = (
            "failure" if any(f.severity == "failure" for f in mine) else "note"
        )
        verdict: Verdict = "waived" if waiver and not waiver.expired else "violated"
        reason = f"{waiver.reason} (until {waiver.until})" if waiver else mine[0].reason
        return RuleVerdict(rule, verdict, severity, reason, layers)
    if any((rule.id, shown) in tally.shown for shown in _DECIDES[rule.kind]):
        return RuleVerdict(rule, "conforms", "", "", layers)
    return RuleVerdict(rule, *_undecided(rule, tally), layers)


#: A constraint is shown by what is refused, a permission by what is accepted, an effect by either.
_DECIDES: Mapping[str, tuple[str, ...]] = {
    "constraint": ("refuse", "race"),
    "permission": ("accept",),
    "effect": ("accept", "refuse"),
}


def _undecided(rule: Rule, tally: Tally) -> tuple[Verdict, Literal[""], str]:
    for outcome in _PROVES_NOTHING:
        reasons = Counter(
            {reason: n for (of, what, reason), n in tally.reasons.items() if (of, what) == (rule.id, outcome)}
        )
        if reasons:
            return outcome, "", reasons.most_common(1)[0][0]
    played = any(of == rule.id for of, _, _ in tally.outcomes)
    none = "no case of it was played that could have failed" if played else "no case of it was played"
    return "not observed", "", none


_PROVES_NOTHING: tuple[Literal["inconclusive", "not observed"], ...] = ("inconclusive", "not observed")


def _layers(rule: Rule, tally: Tally) -> Mapping[Layer, Mapping[Outcome, int]]:
    layers: dict[Layer, Counter[Outcome]] = {layer: Counter() for layer in LAYERS}
    for (of, layer, outcome), number in tally.outcomes.items():
        if of == rule.id and number:
            layers[layer][outcome] += number
    return layers
