"""Two instances behind one address: a connection leads to one of them, as behind most load balancers."""

import pytest

from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from contract_tests.targets.wsgi import WsgiTarget
from mock_server.services.memory import MemoryStore
from tests.support.gate.gate import MOCK_HOOK, spec, violated_rules
from tests.support.gate.planting import build_mock


class BalancedTarget(WsgiTarget):
    """Sends to the first of two apps, and after each reconnect to the other one."""

    def __init__(self, rule: str) -> None:
        """Start two mocks with one store, of which the second does not enforce the rule."""
        store = MemoryStore()
        self._other = build_mock(store, {rule})
        super().__init__(build_mock(store))

    def reconnect(self) -> None:
        """Take the other app."""
        self.app, self._other = self._other, self.app


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["exposed-port-range", "auth-bearer", "not-while-busy"])
def test_a_rule_that_one_instance_does_not_enforce_is_found(rule: str) -> None:
    """Repeats go over new connections, so that one worker with one connection meets both instances."""
    executor = open_executor(
        BalancedTarget(rule), options=ExecutorOptions(control_hook=MOCK_HOOK, spec=spec())
    )
    report = Run(executor, RunOptions(strict=True, layers=("cases", "wire", "lifecycle"))).execute()
    assert violated_rules(report) == {rule}
