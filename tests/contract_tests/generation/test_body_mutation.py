"""Bodies put together of parts: what a long run sends most."""

import json
import multiprocessing
import tracemalloc
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import islice
from typing import Any

import pytest

from contract_tests.cases.tables import load_bodies
from contract_tests.contract.spec import load_spec
from contract_tests.execution import limits, sender
from contract_tests.execution.factory import open_executor
from contract_tests.generation.bodies import load_samples
from contract_tests.generation.body_mutation import ValuePool
from contract_tests.generation.oracle import predict
from contract_tests.generation.rounds import Round, plan_rounds
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.support.gate.gate import violated
from tests.support.gate.planting import Request, Response, Send, twisted

SPEC = load_spec()
SAMPLES = load_samples(SPEC, 0, 10, coverage=False)
OPERATIONS = {"createContainer", "updateContainer"}


@cache
def pool() -> ValuePool:
    """The parts that all rounds have in common."""
    return ValuePool(SPEC, load_bodies())


def made(number: int, seed: int = 1) -> list[Any]:
    """Some bodies, with their operation."""
    return [(s.operation, s.value) for s in pool().mutate_samples(SAMPLES, number, seed)]


def test_a_seed_makes_the_same_bodies() -> None:
    """The same seed makes the same bodies, another one makes others, and hardly any is there twice."""
    assert made(300) == made(300)
    texts = [{json.dumps(body) for body in made(300, seed)} for seed in (1, 2)]
    assert len(texts[0]) > 250
    assert len(texts[0] & texts[1]) < 50


def test_the_parts_are_not_changed() -> None:
    """Making bodies leaves the tables and samples that they are made of as they are."""
    before = json.dumps([load_bodies(), [sample.value for sample in SAMPLES]])
    made(500)
    assert json.dumps([load_bodies(), [sample.value for sample in SAMPLES]]) == before


def test_most_bodies_say_which_rule_speaks() -> None:
    """Many are valid, most of the others break one rule alone, and nearly each rule of a body is broken by some."""
    said = [predict(operation, body, "external") for operation, body in made(6000)]
    broken = Counter(len(each.broken_rules) for each in said)
    assert broken[0] > 1000
    assert broken[1] > sum(broken.values()) / 3
    alone = {rule for each in said if len(each.broken_rules) == 1 for rule in each.broken_rules}
    assert len(alone) > 35, sorted(alone)


def test_the_rounds_of_a_run() -> None:
    """First the gate's bodies, then the boundaries, then as many more as were asked for, drawn and recombined."""
    assert list(plan_rounds(0, 10, (1, 1), endless=False)) == [Round(0, 10)]
    turns = list(plan_rounds(0, 500, (1, 1), endless=False))
    assert turns[1] == Round(0, 0, coverage=True)
    assert sum(4 * turn.examples + turn.mutated for turn in turns) == 4 * 500
    assert len({turn.seed for turn in turns[1:]}) == len(turns[1:])


@pytest.mark.parametrize("endless", [True, False])
def test_shards_have_seeds_of_their_own(*, endless: bool) -> None:
    """What all shards make they share; of the other rounds each makes its own, and together they make all."""
    of = [list(islice(plan_rounds(5, 3000, (n, 3), endless=endless), 6)) for n in (1, 2, 3)]
    assert all(turns[:2] == of[0][:2] and turns[0].shared for turns in of)
    own = [turn.seed for turns in of for turn in turns[2:]]
    assert len(own) == len({*own})
    assert not any(turn.shared for turns in of for turn in turns[2:])
    whole = [turn.seed for turn in islice(plan_rounds(5, 3000, (1, 1), endless=endless), 2, 2 + len(own))]
    assert sorted(own) == whole


def test_a_fault_that_two_properties_make_is_found() -> None:
    """A server that looks at no port where there is a GPU count is found by a long run, and blamed for ports."""

    def lenient(request: Request, send: Send) -> Response:
        port = request.body.get("exposed_port")
        # To set the port would mend a key that is there twice.
        if request.raw.count(b'":') != len(request.body):
            return send(request)
        if request.operation == "create" and type(port) is int and "gpu_count" in request.body:
            return send(request.setting(exposed_port=80))
        return send(request)

    opened = open_executor(WsgiTarget(twisted(create_app(), lenient)))
    report = Run(opened, RunOptions(layers=("properties",), max_examples=300)).execute()
    assert violated(report) == {"exposed-port-range"}


def _taken() -> tuple[list[int], int]:
    """The bytes in use after each of eight rounds, and the requests of all of them."""
    sender.MAX_TRAFFIC = limits.MAX_IDS = 100
    app = create_app()
    run = Run(open_executor(WsgiTarget(app)), RunOptions(layers=("properties",), max_examples=10))
    turn = Round(3, 0, mutated=400)
    run.execute()
    taken: list[int] = []
    before = run.executor.sender.requests
    tracemalloc.start()
    for _ in range(8):
        run.layers.run_round(turn, pool)
        run.recorder.shrink_pending()
        for kept in ("services", "journal"):  # of the mock, which is in this process
            app.test_client().delete(f"/_mock/{kept}")
        taken.append(tracemalloc.get_traced_memory()[0])
    return taken, run.executor.sender.requests - before


def test_the_memory_of_a_long_run_is_flat() -> None:
    """After the first rounds more of them take no more memory: a few bytes for each request.

    A process of its own has no cache that is full already: what takes the place of older things would count.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        taken, requests = process.submit(_taken).result()
    assert (taken[-1] - taken[3]) / (requests / 2) < 100, taken
