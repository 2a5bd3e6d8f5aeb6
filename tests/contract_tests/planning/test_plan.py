"""The plan of a run with a budget: greedy set cover, and the file that is shipped."""

from pathlib import Path

from contract_tests.cases.model import Case, Step
from contract_tests.planning.plan import Plan, PlannedUnit, build_plan, load_plan, save_plan
from contract_tests.planning.units import Unit, build_units
from mock_server import create_app
from tests.support.gate.gate import catalogue, open_app_executor


def unit(name: str, *expects: str) -> Unit:
    """Return a unit with a create for each expectation."""
    return Unit(Case(name, "created", "cases", tuple(Step(expect=expect) for expect in expects)))  # type: ignore[arg-type]


CHEAP, DEAR, OTHER = unit("cheap", "refuse"), unit("dear", "accept", "accept"), unit("other", "refuse")


def test_the_unit_that_finds_most_for_its_price_comes_first() -> None:
    """Each unit counts the faults that no earlier one finds; one that finds nothing new is left out."""
    kills = {"a": ["cheap"], "b": ["cheap", "other"], "c": ["dear"], "unseen": []}
    plan = build_plan(kills, {}, [CHEAP, DEAR, OTHER])
    assert plan == Plan(3, (PlannedUnit("cheap", 1, 2, 0), PlannedUnit("dear", 2, 1, 0)))


def test_a_rule_without_a_verdict_is_worth_several_faults() -> None:
    """A unit that judges a rule comes before one that finds two more faults of rules that are judged."""
    kills = {"a": ["cheap"], "b": ["cheap"], "c": ["other"]}
    plan = build_plan(kills, {"slug-unique": ["other"]}, [CHEAP, OTHER])
    assert [(one.id, one.found, one.judged) for one in plan.units] == [("other", 1, 1), ("cheap", 2, 0)]


def test_a_plan_is_stored_and_read_again(tmp_path: Path) -> None:
    """The file holds the plan, one unit a line."""
    plan = Plan(3, (PlannedUnit("cheap", 1, 2, 1), PlannedUnit("dear", 2, 1, 0)))
    save_plan(plan, tmp_path / "plan.json")
    assert load_plan(tmp_path / "plan.json") == plan
    assert plan.count_affordable(2) == 1
    assert plan.share_found(1) == 2 / 3


def test_the_shipped_plan_knows_the_cases_of_the_kit() -> None:
    """Nearly every unit of the plan exists, and together they judge every rule; else `make plan` is due."""
    plan = load_plan()
    known = {one.id for one in build_units(open_app_executor(create_app()))}
    missing = [one.id for one in plan.units if one.id not in known]
    assert len(missing) <= len(plan.units) // 20, missing
    assert sum(one.judged for one in plan.units) == len(catalogue())


def test_a_unit_by_a_caller_that_the_run_lacks_gives_its_place_to_another() -> None:
    """Of the units that differ in the caller alone, one stands in that the plan does not have; none is sent twice."""
    names = ("trace/nothing-by-jwt", "trace/nothing-by-dk", "trace/name-by-jwt", "trace/name-by-sk")
    plan = Plan(9, tuple(PlannedUnit(name, 1, 1, 0) for name in names))
    units = [
        unit(f"trace/{what}-by-{kind}", "accept") for what in ("nothing", "name") for kind in ("sk", "dk")
    ]
    assert [one.id for one in plan.order_units(units)] == [
        "trace/nothing-by-sk",
        "trace/nothing-by-dk",
        "trace/name-by-dk",
        "trace/name-by-sk",
    ]


def test_a_refused_batch_is_taken_apart_by_halves() -> None:
    """Each half has the values of its own cases, down to the cases themselves."""
    cases = tuple(
        Case(
            name,
            "created",
            "cases",
            (Step(body={"plain": 0, name: 1}),),
            ("createContainer", "deployed", name),
        )
        for name in ("a", "b", "c")
    )
    first, second = Unit(cases[0], cases).split()
    assert (first.case, first.members) == (cases[0], ())
    assert second.members == cases[1:]
    assert second.case.steps[0].body == {"plain": 0, "b": 1, "c": 1}
