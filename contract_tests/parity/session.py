"""A comparison from its options to its results: opens both sides, sends the planned requests, scores each pair."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from contract_tests.cases.callers import Caller, build_caller_pool, load_callers
from contract_tests.cases.model import Case
from contract_tests.contract.choices import Choice, load_choices
from contract_tests.contract.resources import data_file
from contract_tests.diagnosis.team_labels import describe_wrong_label, find_wrong_labels
from contract_tests.execution.executor import Executor
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.execution.preflight.run import apply_preflight, run_preflight
from contract_tests.execution.random_scenarios import run_scenario
from contract_tests.execution.sending.access_watch import explain_limit
from contract_tests.execution.sending.created_log import CreatedLog
from contract_tests.execution.sending.limits import TargetGone
from contract_tests.parity.mock import open_mock, open_mock_hook
from contract_tests.parity.pairs.blame import Blame
from contract_tests.parity.pairs.compare import find_reaction
from contract_tests.parity.pairs.reading import RequestReader
from contract_tests.parity.pairs.score import Scorer
from contract_tests.parity.pairs.twin import Pair, TwinHook, TwinTarget
from contract_tests.parity.plain_creates import refuses_every_create
from contract_tests.parity.plan import Work, plan_work
from contract_tests.results.aggregate import Aggregate
from contract_tests.results.observation import Observation
from contract_tests.targets.base import Request, Target, quote_segment
from contract_tests.targets.clock import RunStopped
from contract_tests.targets.control_hook import ControlHook
from contract_tests.targets.exchange import Exchange

DEFAULT_REQUESTS = 2000
#: So many accepted writes are between two that are read back.
_READ_EVERY = 5
_NOBODY = "nobody"  # the token is none of a caller


@dataclass(frozen=True, slots=True)
class ParityOptions:
    """Options of a comparison; without a ``profile`` the mock has the usual options."""

    profile: Path | None = None
    spec: Path | None = None
    control_hook: str | None = None
    slug_prefix: str = "ck-"
    requests: int = DEFAULT_REQUESTS
    seconds: float | None = None
    seed: int = 0
    max_created: int | None = None


@dataclass(slots=True)
class ParitySession:
    """One comparison; ``run`` fills the scores and the observations."""

    executor: Executor
    twin: TwinTarget
    blame: Blame
    options: ParityOptions
    scorer: Scorer = field(default_factory=Scorer)
    aggregate: Aggregate = field(default_factory=Aggregate)
    notes: tuple[str, ...] = ()
    unusable_callers: tuple[str, ...] = ()
    cut_short: str = ""
    seconds: float = 0.0
    token_variables: Mapping[str, str] = field(default_factory=dict)
    _writes: int = 0

    @property
    def choices(self) -> Mapping[str, Choice]:
        """The choices, by id."""
        return self.blame.choices

    def run(self) -> None:
        """Send requests to both until a limit is reached; raise CannotJudge or TargetGone if none can be judged."""
        started = time.monotonic()
        self.twin.clock.start(self.options.seconds)
        ready = run_preflight(self.executor)
        apply_preflight(self.executor, ready)
        self.notes, self.unusable_callers = ready.notes, ready.unusable_callers
        unusable = {text.partition(" (")[0] for text in ready.unusable_callers}
        self.twin.pairs = [pair for pair in self.twin.pairs if pair.reading.caller not in unusable]
        self._require_creates()
        self._score_pairs(ready.observations)
        self.twin.compares_reads = self.executor.readback
        self.cut_short = self._work()
        self._score_pairs(())
        self.seconds = time.monotonic() - started

    def _work(self) -> str:
        """Run the planned work, and return why it ended before the number of requests, or an empty string."""
        try:
            self._leave_out_wrong_labels()
            for work in plan_work(self.executor, self.options.seed):
                self._score_pairs(())  # of requests that prepared the work
                self._run_one(work)
                if self.twin.clock.is_time_up():
                    return "the time is up"
        except RunStopped:
            return "" if self.twin.requests >= self.options.requests else "the time is up"
        except KeyboardInterrupt:
            return "interrupted"
        except TargetGone as gone:
            self.twin.pairs.clear()  # the request that showed it, and those that made sure
            return f"the target {gone}"
        return ""

    def _leave_out_wrong_labels(self) -> None:
        """Name the keys of another team than the callers file says, and go on with the other callers."""
        wrong = find_wrong_labels(self.executor)
        if not wrong:
            return
        self.twin.pairs.clear()
        self.unusable_callers += tuple(describe_wrong_label(name, shown) for name, shown in wrong.items())
        controls = self.executor.controls
        controls.caller_pool = build_caller_pool(
            caller for caller in controls.caller_pool.callers if caller.name not in wrong
        )

    def _run_one(self, work: Work) -> None:
        observations = (
            [self.executor.run_case(work)] if isinstance(work, Case) else run_scenario(self.executor, work)
        )
        self._require_creates()
        for observation in observations:
            self.aggregate.add(observation)
        last = self.twin.pairs[-1] if self.twin.pairs else None
        self._score_pairs(observations)
        if last is not None and self.executor.readback:
            self._read_back(last)

    def _require_creates(self) -> None:
        """Raise TargetGone if plain creates are refused by now: nothing in a refused create is the reason."""
        pairs, self.twin.pairs = self.twin.pairs, []
        refused = next(filter(_is_create_refused_otherwise, pairs), None)
        if refused is not None:
            is_blue = refused.reading.team == self.executor.controls.caller_pool.blue
            team, other = ("blue", "red") if is_blue else ("red", "blue")
            if refuses_every_create(self.executor, team):
                name = "" if refuses_every_create(self.executor, other) else refused.reading.caller
                raise TargetGone(explain_limit(refused.theirs.status, name))
        self.twin.pairs = pairs

    def _read_back(self, pair: Pair) -> None:
        """Read a service back after a write that both accepted: each that touches a choice, and some others."""
        accepted = all(find_reaction(one) == "accepted" for one in (pair.theirs, pair.ours))
        service = pair.reading.service or self.twin.services.find_slug(pair.reading.team, pair.reading.slug)
        if pair.reading.operation == "readContainer" or not accepted or service is None:
            return
        self._writes += 1
        if pair.reading.choices or self._writes % _READ_EVERY == 0:
            path = self.executor.sender.spec.operations["readContainer"].path
            headers = tuple(
                one for one in pair.request.headers if one[0].lower() in ("authorization", "x-team-id")
            )
            self.twin.send(Request("GET", path.partition("{")[0] + quote_segment(service.slug), headers))
            self._score_pairs(())

    def _score_pairs(self, observations: Iterable[Observation]) -> None:
        """Score what was compared since the last time."""
        rules = dict(filter(None, map(self._find_decisive, observations)))
        for number, pair in enumerate(self.twin.pairs):
            self._score_pair(pair, rules.get(number, ""))
        self.twin.pairs.clear()

    def _find_decisive(self, observation: Observation) -> tuple[int, str] | None:
        """Return the number of the pair that decided a case, and the rule of the case."""
        if not observation.exchanges:
            return None
        last = observation.exchanges[-1]
        for number, pair in reversed([*enumerate(self.twin.pairs)]):
            request = pair.request
            same_body = (request.body or b"")[:1000].decode("utf-8", "replace") == (last.body or "")[:1000]
            if request.method == last.method and last.url.endswith(request.path) and same_body:
                return number, observation.case.rule
        return None

    def _score_pair(self, pair: Pair, rule: str) -> None:
        reaction = find_reaction(pair.theirs)
        subjects = self.blame.list_subjects(pair.reading, reaction) | ({rule} if rule else set())
        self.scorer.count(pair.comparison, subjects)
        parted, redact = pair.comparison.differs_in("accepted"), self.executor.sender.redactor.redact_text
        found = []
        for difference in pair.comparison.differences:
            if parted and difference.dimension == "status":
                continue  # the status differs because the reaction does
            statuses = pair.theirs.status, pair.ours.status
            suspects = self.blame.list_suspects(pair.reading, difference, statuses, rule)
            shown = replace(difference, theirs=redact(difference.theirs), ours=redact(difference.ours))
            found.append((suspects, shown))
        if found:
            taken = "slug-unique" in pair.reading.broken
            self.scorer.add_differences(found, partial(self._record, pair), sent_twice=taken)

    def _record(self, pair: Pair) -> Exchange:
        """Return the exchange with the deployment, without secrets."""
        sender, caller = self.executor.sender, pair.reading.caller or _NOBODY
        response = sender.redactor.redact_response(pair.theirs)
        exchange = sender.redactor.record_exchange(caller, self.twin.url, pair.request, response)
        return replace(exchange, token_env=self.token_variables.get(caller, ""))


def _is_create_refused_otherwise(pair: Pair) -> bool:
    """Return whether the deployment refuses a create that the mock accepts, or refuses with another status."""
    is_refused = find_reaction(pair.theirs) == "refused" and pair.theirs.status != pair.ours.status
    return is_refused and pair.reading.operation == "createContainer"


def open_session(
    target: Target,
    callers: Iterable[Caller] | None,
    options: ParityOptions,
    created_log: CreatedLog | None = None,
) -> ParitySession:
    """Return a comparison of a deployment and a new mock; raise ValueError or OSError for unusable options."""
    all_callers = tuple(callers) if callers is not None else load_callers(data_file("fixtures/callers.yaml"))
    hook = ControlHook(options.control_hook, target) if options.control_hook else None
    mock = open_mock(all_callers, options.profile, options.spec)
    executor = open_executor(
        target,
        all_callers,
        ExecutorOptions(
            spec_path=options.spec, slug_prefix=options.slug_prefix, max_created=options.max_created
        ),
        created_log,
    )
    choices = load_choices()
    reader = RequestReader(executor.sender.spec, executor.catalogue, choices, all_callers)
    twin = TwinTarget(target, mock, reader, options.requests)
    executor.sender.target = twin
    executor.hook = TwinHook(hook, open_mock_hook(mock), twin.services) if hook else None
    variables = {caller.name: caller.token_env for caller in all_callers}
    blame = Blame(executor.catalogue, choices)
    return ParitySession(executor, twin, blame, options, token_variables=variables)
