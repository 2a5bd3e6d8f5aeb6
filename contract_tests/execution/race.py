"""The race layer: many callers at once, for checks that are made before, and not with, the write."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from contract_tests.cases.model import Case, Step
from contract_tests.execution.context import NotObserved, Scene
from contract_tests.execution.executor import Player, Result
from contract_tests.results.judge import Judgement, describe, expectation, judge
from contract_tests.targets.base import Reply, Unanswered
from contract_tests.targets.exchange import Exchange

_AT_ONCE = 6


def race_cases(rounds: int = 3) -> list[Case]:
    """Return the races: creates of one slug, and updates of one service."""
    create = Step(body={"display_name": "Raced", "docker_image": "nginx:1.27"}, slug="a", expect="open")
    update = Step("updateContainer", body={"display_name": "Raced"}, expect="open")
    races = [
        Case(f"race/create-{n}", "slug-unique", "race", (create,) * _AT_ONCE) for n in range(1, rounds + 1)
    ]
    first = Step(body=create.body)
    return [*races, Case("race/update", "updated", "race", (first, *(update,) * _AT_ONCE))]


def play_race(player: Player, case: Case) -> Result:
    """Send the open steps of a case at the same moment and judge the answers together."""
    rule = player.catalogue[case.rule]
    scene = Scene(player.cast, player.slugs)
    exchanges: list[Exchange] = []
    try:
        for step in case.steps:
            if step.expect is None:
                judgement = judge(rule, "accept", step.operation, player.send(scene, step, exchanges))
                if judgement.outcome != "passed":
                    return Result(
                        case, Judgement("inconclusive", rule.id, "the set-up failed"), tuple(exchanges)
                    )
        raced = [step for step in case.steps if step.expect is not None]
        scene.slug("a")
        replies = _at_once(player, scene, raced, exchanges)
    except NotObserved as missing:
        return Result(case, Judgement("not observed", rule.id, str(missing)), tuple(exchanges))
    service = scene.services.get("service") if case.rule == "updated" else None
    judged = _creates(player, replies) if service is None else _updates(player, replies, service)
    return Result(case, judged, tuple(exchanges))


def _at_once(
    player: Player, scene: Scene, steps: list[Step], exchanges: list[Exchange]
) -> list[Reply | Unanswered]:
    barrier = Barrier(len(steps))

    def one(step: Step) -> Reply | Unanswered:
        barrier.wait(10)
        return player.send(scene, step, exchanges)

    with ThreadPoolExecutor(len(steps)) as pool:
        return list(pool.map(one, steps))


def _creates(player: Player, replies: list[Reply | Unanswered]) -> Judgement:
    rule = player.catalogue["slug-unique"]
    accepted = [r for r in replies if isinstance(r, Reply) and 200 <= r.status < 300]
    received = f"{len(accepted)} of {len(replies)} accepted"
    expected = f"one accepted, the others {expectation(rule, 'refuse')}"
    broken = next((r for r in replies if isinstance(r, Reply) and r.status >= 500 and r.status != 503), None)
    if broken is not None:
        return Judgement("violated", rule.id, "a server error is never right", describe(broken), expected,
                         "error", server_error=True)  # fmt: skip
    if len(accepted) > 1:
        return Judgement(
            "violated", rule.id, "one slug was given to several services at once", received, expected
        )
    if not accepted:
        return Judgement("inconclusive", rule.id, "no create was accepted", received, expected)
    return Judgement("passed", rule.id, received=received, expected=expected)


def _updates(player: Player, replies: list[Reply | Unanswered], service: str) -> Judgement:
    """A deployment may refuse an update that meets another one; what it accepts it answers rightly."""
    rule = player.catalogue["updated"]
    judged = [judge(rule, "open", "updateContainer", reply, service) for reply in replies]
    worst = next((j for j in judged if j.outcome == "violated"), None)
    return worst or next((j for j in judged if j.answer == "accepted"), judged[0])
