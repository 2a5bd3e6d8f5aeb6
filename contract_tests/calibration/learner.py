"""Learner: runs the probe of each choice within the limits, and keeps what each saw."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from contract_tests.calibration.prober import Prober
from contract_tests.calibration.probes.table import PROBES
from contract_tests.calibration.sighting import CannotSee, Sighting
from contract_tests.calibration.stored import require_right_ids
from contract_tests.calibration.wire import Wire
from contract_tests.cases.callers import Caller
from contract_tests.contract.choices import Choice, load_choices
from contract_tests.execution.executor import Executor
from contract_tests.execution.preflight import apply_preflight, run_preflight
from contract_tests.execution.sending.context import CannotRun
from contract_tests.execution.sending.limits import TargetGone
from contract_tests.results.aggregate import Aggregate
from contract_tests.results.findings import Finding, build_findings
from contract_tests.targets.clock import RunStopped


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was learnt of one target.

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
        """0: learnt. 1: a rule is broken. 3: the target went away."""
        if self.findings:
            return 1
        return 3 if self.cut_short else 0


def calibrate(executor: Executor) -> Calibration:
    """Learn how a target chose; raise CannotJudge if it cannot be judged at all."""
    pool = executor.controls.caller_pool
    executor.controls.caller_pool = replace(pool, callers=_select_callers(pool.callers))
    ready = run_preflight(executor)
    apply_preflight(executor, ready)
    wire = Wire(executor, pool, list(ready.observations))
    prober = Prober(wire)
    choices = load_choices()
    seen, not_seen, cut_short = _probe_all(prober, choices)
    findings = build_findings(Aggregate.of(prober.wire.observations).deviations.values(), executor.catalogue)
    return Calibration(
        target=executor.sender.target.url,
        seen={name: seen[name] for name in choices if name in seen},
        not_seen={name: not_seen[name] for name in choices if name in not_seen},
        findings=tuple(finding for finding in findings if finding.severity == "failure"),
        notes=(*ready.notes, *(f"cannot be used: {name}" for name in ready.unusable_callers)),
        requests=wire.requests,
        created=executor.sender.created_log.count,
        cut_short=cut_short,
    )


def _select_callers(callers: Iterable[Caller]) -> tuple[Caller, ...]:
    """Return one caller of each kind and team: each costs a create."""
    first: dict[tuple[str, tuple[str, ...]], Caller] = {}
    for caller in callers:
        first.setdefault((caller.kind, caller.teams), caller)
    return tuple(first.values())


def _probe_all(
    prober: Prober, choices: Mapping[str, Choice]
) -> tuple[dict[str, Sighting], dict[str, str], str]:
    """Return the sightings, the reasons of what was not seen, and why the calibration ended early, if it did."""
    seen: dict[str, Sighting] = {}
    not_seen: dict[str, str] = {}
    cut_short, obstacle = "", ""
    try:
        require_right_ids(prober)
    except (CannotSee, CannotRun) as error:
        obstacle = str(error)
    except (TargetGone, RunStopped) as error:
        cut_short = obstacle = f"the target stopped responding: {error}"
    for name in PROBES:
        if obstacle:
            not_seen[name] = obstacle
            continue
        try:
            seen[name] = _probe(prober, choices[name])
        except (CannotSee, CannotRun) as error:
            not_seen[name] = str(error)
        except (TargetGone, RunStopped) as error:
            cut_short = obstacle = f"the target stopped responding: {error}"
            not_seen[name] = obstacle
    broken = {observation.judgement.rule for observation in prober.wire.observations}
    for name in [*seen]:
        if rules := broken.intersection(choices[name].rules):
            del seen[name]
            not_seen[name] = f"the rule {min(rules)} is broken here"
    return seen, not_seen, cut_short


def _probe(prober: Prober, choice: Choice) -> Sighting:
    """Return what the probe of a choice sees; raise CannotSee for what is no option of it."""
    sighting = PROBES[choice.id](prober)
    if not choice.allows(sighting.option):
        raise CannotSee(f"{sighting.option} is no option: {sighting.evidence}")
    return sighting
