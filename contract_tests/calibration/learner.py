"""Learner: runs the probe of each choice within the limits, and keeps what each saw."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from contract_tests.calibration.probes.confirmation import confirm_on_create
from contract_tests.calibration.probes.table import PROBES
from contract_tests.calibration.probing.limits import MAX_REQUESTS
from contract_tests.calibration.probing.prober import Prober
from contract_tests.calibration.probing.sighting import Answer, CannotSee, Sighting
from contract_tests.calibration.probing.stored import require_right_ids
from contract_tests.calibration.probing.wire import Wire
from contract_tests.cases.callers import Caller
from contract_tests.contract.choices import Choice, load_choices
from contract_tests.diagnosis.team_labels import describe_wrong_label, find_wrong_labels
from contract_tests.execution.executor import Executor
from contract_tests.execution.preflight.run import apply_preflight, run_preflight
from contract_tests.execution.sending.context import CannotRun
from contract_tests.execution.sending.limits import BudgetSpent, RequestBudget, TargetGone
from contract_tests.results.aggregate import Aggregate
from contract_tests.results.findings import Finding, build_findings
from contract_tests.targets.clock import RunStopped

INTERRUPTED = "interrupted"
#: The rules that a key of another team than the callers file says seems to break.
_TEAM_RULES = ("team-scope", "slug-unique")


@dataclass(frozen=True, slots=True)
class Calibration:
    """The choices that one target was seen to make.

    ``seen`` and ``not_seen`` have the choices in the order of ``choices.yaml``; ``findings`` are the broken rules.
    """

    target: str
    seen: Mapping[str, Sighting]
    not_seen: Mapping[str, str]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    requests: int
    created: int
    cut_short: str = ""

    @property
    def exit_code(self) -> int:
        """0: learnt. 1: a rule is broken. 3: the target went away, or nothing could be learnt. 130: interrupted."""
        if self.findings:
            return 1
        if self.cut_short == INTERRUPTED:
            return 130
        return 3 if self.cut_short or not self.seen else 0


def calibrate(executor: Executor) -> Calibration:
    """Learn how a target chose; raise CannotJudge if it cannot be judged at all.

    KeyboardInterrupt is raised only before a choice is seen.
    """
    pool = executor.controls.caller_pool
    executor.controls.caller_pool = replace(pool, callers=_select_callers(pool.callers))
    ready = run_preflight(executor)
    apply_preflight(executor, ready)
    wire = Wire(executor, pool, list(ready.observations))
    choices = load_choices()
    learner = _Learner(Prober(wire), choices)
    learner.run()
    unsure = _TEAM_RULES if learner.cut_short else ()  # nobody asked whether the callers file is wrong
    findings = build_findings(Aggregate.of(wire.observations).deviations.values(), executor.catalogue)
    return Calibration(
        target=executor.sender.target.name,
        seen={name: learner.seen[name] for name in choices if name in learner.seen},
        not_seen={name: learner.not_seen[name] for name in choices if name in learner.not_seen},
        findings=tuple(one for one in findings if one.severity == "failure" and one.rule.id not in unsure),
        notes=(
            *ready.notes,
            *(f"cannot be used: {name}" for name in (*ready.unusable_callers, *learner.wrong_labels)),
        ),
        requests=wire.requests,
        created=executor.sender.created_log.count,
        cut_short=learner.cut_short,
    )


def _select_callers(callers: Iterable[Caller]) -> tuple[Caller, ...]:
    """Return one caller of each kind and team: each costs a create."""
    first: dict[tuple[str, tuple[str, ...]], Caller] = {}
    for caller in callers:
        first.setdefault((caller.kind, caller.teams), caller)
    return tuple(first.values())


@dataclass(slots=True)
class _Learner:
    """Runs the probes; ``cut_short`` says why it ended early, if it did.

    ``wrong_labels`` names the keys of another team than the callers file says.
    """

    prober: Prober
    choices: Mapping[str, Choice]
    wrong_labels: tuple[str, ...] = ()
    seen: dict[str, Sighting] = field(default_factory=dict)
    not_seen: dict[str, str] = field(default_factory=dict)
    cut_short: str = ""

    def run(self) -> None:
        """Run every probe, then confirm what holds for both operations, and drop what a broken rule may explain."""
        try:
            require_right_ids(self.prober)
            for name in PROBES:
                self._probe(name)
            self._confirm()
            self._check_end()
        except (CannotSee, CannotRun) as error:
            self._give_up(str(error))
        except (TargetGone, RunStopped) as error:
            self._cut_short(f"the target {str(error) or 'was not judged to the end'}")
        except KeyboardInterrupt:
            if not self.seen:
                raise
            self._cut_short(INTERRUPTED)
        self._excuse_labels()
        self._drop_broken()

    def _probe(self, name: str) -> None:
        try:
            sighting = PROBES[name](self.prober)
        except (CannotSee, CannotRun) as error:
            self.not_seen[name] = str(error)
            return
        if self.choices[name].allows(sighting.option):
            self.seen[name] = sighting
        else:
            self.not_seen[name] = f"{sighting.option} is no option: {sighting.evidence}"

    def _confirm(self) -> None:
        for name, result in confirm_on_create(self.prober, dict(self.seen)):
            if isinstance(result, str):
                self._drop(name, result)
            else:
                self.seen[name] = result

    def _check_end(self) -> None:
        """Drop everything if a plain request is refused by now: then refusals were about what happened before.

        Of an update it may be an earlier update, of a create a limit of services.
        """
        wire = self.prober.wire
        wire.reserve = 0
        for service in ("deployed", "external"):
            with suppress(CannotSee):
                end = self.prober.update("with {} at the end", service=service)
                if end.reaction != "accepted":
                    self._drop_all(end)
                    wire.observations = [
                        one for one in wire.observations if one.judgement.reaction != "refused"
                    ]
        with suppress(CannotSee):
            end = self.prober.create("of a plain service at the end")
            if end.reaction == "refused":
                self._drop_all(end)

    def _drop_all(self, end: Answer) -> None:
        for name in [*self.seen]:
            self._drop(name, f"{end.tell()}, so that no refusal before it proves anything")

    def _cut_short(self, reason: str) -> None:
        """Keep what was seen, but as uncertain: it was confirmed neither by creates nor at the end."""
        self.cut_short = reason
        self.seen = {name: replace(one, confidence="medium") for name, one in self.seen.items()}
        self._give_up(reason)

    def _give_up(self, reason: str) -> None:
        """Note the reason for every choice that was not tried."""
        tried = self.seen.keys() | self.not_seen.keys()
        self.not_seen |= {name: reason for name in self.choices if name not in tried}

    def _excuse_labels(self) -> None:
        """Drop the broken rules about teams if the callers file names the wrong team of a key."""
        wire = self.prober.wire
        if self.cut_short or not any(one.judgement.rule in _TEAM_RULES for one in wire.observations):
            return
        wire.executor.sender.request_budget = RequestBudget(max(0, MAX_REQUESTS - wire.requests))
        with suppress(BudgetSpent, TargetGone, RunStopped):
            found = find_wrong_labels(wire.executor)
            self.wrong_labels = tuple(describe_wrong_label(name, shown) for name, shown in found.items())
        if self.wrong_labels:
            wire.observations = [one for one in wire.observations if one.judgement.rule not in _TEAM_RULES]

    def _drop_broken(self) -> None:
        """Drop the choices that concern a rule that is broken: what was seen may be the fault."""
        broken = {observation.judgement.rule for observation in self.prober.wire.observations}
        for name in [*self.seen]:
            if rules := broken.intersection(self.choices[name].rules):
                self._drop(name, f"the rule {min(rules)} is broken here")

    def _drop(self, name: str, reason: str) -> None:
        del self.seen[name]
        self.not_seen[name] = reason
