"""Mutated bodies, which are most of the requests of a long run."""

import json
import multiprocessing
import tracemalloc
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from typing import Any

import pytest

from contract_tests.cases.tables import load_bodies
from contract_tests.contract.spec import load_spec
from contract_tests.execution.factory import open_executor
from contract_tests.execution.sending import limits, sender
from contract_tests.generation.bodies import load_samples
from contract_tests.generation.body_mutation import ValuePool
from contract_tests.generation.oracle import predict
from contract_tests.generation.rounds import Round
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.support.gate.gate import violated_rules
from tests.support.gate.messages import Request, Response, Send
from tests.support.gate.planting import add_interceptor

SPEC = load_spec()
SAMPLES = load_samples(SPEC, 0, 10, coverage=False)


@cache
def open_pool() -> ValuePool:
    """Return the parts that all rounds share."""
    return ValuePool(SPEC, load_bodies())


def make_bodies(number: int, seed: int = 1) -> list[Any]:
    """Return some mutated bodies with their operation."""
    return [(s.operation, s.value) for s in open_pool().mutate_samples(SAMPLES, number, seed)]


def test_equal_seeds_give_equal_bodies() -> None:
    """Equal seeds give equal bodies, other seeds give others, and few bodies are repeated."""
    assert make_bodies(300) == make_bodies(300)
    texts = [{json.dumps(body) for body in make_bodies(300, seed)} for seed in (1, 2)]
    assert len(texts[0]) > 250
    assert len(texts[0] & texts[1]) < 50


def test_mutation_changes_no_input() -> None:
    """Mutating bodies does not change the tables and samples."""
    before = json.dumps([load_bodies(), [sample.value for sample in SAMPLES]])
    make_bodies(500)
    assert json.dumps([load_bodies(), [sample.value for sample in SAMPLES]]) == before


def test_most_bodies_isolate_one_rule() -> None:
    """Many bodies are valid, most others break a single rule, and nearly every body rule is broken alone."""
    said = [predict(operation, body, "external") for operation, body in make_bodies(6000)]
    broken = Counter(len(each.broken_rules) for each in said)
    assert broken[0] > 1000
    assert broken[1] > sum(broken.values()) / 3
    alone = {rule for each in said if len(each.broken_rules) == 1 for rule in each.broken_rules}
    assert len(alone) > 35, sorted(alone)


@pytest.mark.slow
def test_fault_of_two_properties_is_found() -> None:
    """A long run finds a target that ignores the port beside a GPU count, under the port's rule."""

    def lenient(request: Request, send: Send) -> Response:
        port = request.body.get("exposed_port")
        # Setting the port would remove a repeated key.
        if request.raw.count(b'":') != len(request.body):
            return send(request)
        if request.operation == "create" and type(port) is int and "gpu_count" in request.body:
            return send(request.setting(exposed_port=80))
        return send(request)

    opened = open_executor(WsgiTarget(add_interceptor(create_app(), lenient)))
    report = Run(opened, RunOptions(layers=("properties",), max_examples=300)).execute()
    assert violated_rules(report) == {"exposed-port-range"}


def _measure_memory() -> tuple[list[int], int]:
    """Return the bytes in use after each of eight rounds, and the number of requests."""
    sender.MAX_TRAFFIC = limits.MAX_IDS = 100
    app = create_app()
    run = Run(open_executor(WsgiTarget(app)), RunOptions(layers=("properties",), max_examples=10))
    turn = Round(3, 0, mutated=400)
    run.execute()
    taken: list[int] = []
    before = run.executor.sender.requests
    tracemalloc.start()
    for _ in range(8):
        run.layers.run_round(turn, open_pool)
        run.recorder.shrink_pending()
        for kept in ("services", "journal"):  # state of the mock, which runs in this process
            app.test_client().delete(f"/_mock/{kept}")
        taken.append(tracemalloc.get_traced_memory()[0])
    return taken, run.executor.sender.requests - before


@pytest.mark.slow
def test_memory_of_a_long_run_is_flat() -> None:
    """After the first rounds further ones need only a few bytes per request.

    The measurement runs in a new process, because replacing entries of a full cache would count as growth.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        taken, requests = process.submit(_measure_memory).result()
    assert (taken[-1] - taken[3]) / (requests / 2) < 100, taken
