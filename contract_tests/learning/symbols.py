"""Symbols: what the learner can do to a service, and what the contract expects of each after those before it."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace

from contract_tests.cases.model import Expect, Step
from contract_tests.generation.oracle import CREDENTIAL_PROPERTY
from contract_tests.generation.state_model import BUSY_STATUSES, StateModel

_SERVICE, _SLUG = "service", "one"
#: An id that no service has: updates go to it while there is none.
_UNKNOWN = "0192f0c1-9a8b-7c6d-9e5f-404142434445"
_DEPLOYED = {"display_name": "Learnt", "docker_image": "nginx:1.27"}
_EXTERNAL = {
    "display_name": "Learnt",
    "service_type": "external",
    "external_url": "https://learnt.example.com",
}

#: Two creates with the same slug, updates that one type refuses, and statuses that refuse every update.
_SYMBOLS: Mapping[str, Step] = {
    "create deployed": Step(body=_DEPLOYED, slug=_SLUG),
    "create external": Step(body=_EXTERNAL, slug=_SLUG),
    "update nothing": Step("updateContainer", body={}),
    "update name": Step("updateContainer", body={"display_name": "Learnt again"}),
    "update URL": Step("updateContainer", body={"external_url": "https://again.example.com"}),
    "clear credential": Step("updateContainer", body={CREDENTIAL_PROPERTY: None}),
    "update type": Step("updateContainer", body={"service_type": "external"}),
    "update by other team": Step("updateContainer", "blue", body={"display_name": "Learnt by others"}),
    "set deploying": Step("setStatus", status="deploying"),
    "set stopping": Step("setStatus", status="stopping"),
    "set running": Step("setStatus", status="running"),
}
#: Together these have other results in each state of the contract.
_TELLING = (("update name",), ("update URL",), ("set running", "update URL"))


def list_symbols(*, hook: bool, other_team: bool) -> list[str]:
    """Return the symbols that a target with these capabilities can be learnt by."""
    return [
        name
        for name, step in _SYMBOLS.items()
        if (hook or step.operation != "setStatus") and (other_team or step.caller != "blue")
    ]


def build_step(symbol: str, *, exists: bool) -> Step | None:
    """Return the step of a symbol, None if there is nothing to send while no service exists."""
    step = _SYMBOLS[symbol]
    if step.operation == "createContainer":
        # A second service must not take the place of the first one.
        return replace(step, as_="second") if exists else step
    if not exists:
        return None if step.operation == "setStatus" else replace(step, service=_UNKNOWN)
    return step


@dataclass(slots=True)
class ContractState:
    """What the contract says of one service and its slug, which begin as unused."""

    model: StateModel = field(default_factory=StateModel)

    @property
    def key(self) -> object:
        """Equal for states in which the contract expects the same, whatever follows."""
        return [(one.service_type, one.status in BUSY_STATUSES) for one in self.model.services.values()]

    def expect(self, symbol: str) -> tuple[Expect, str]:
        """Return what must come of a symbol, and the rule that says so."""
        step = _SYMBOLS[symbol]
        if step.operation == "createContainer":
            return self.model.expect_create("red", _SLUG, step.body)
        if _SERVICE not in self.model.services:
            return "refuse", "service-exists"
        if step.operation == "setStatus":
            return "accept", "not-while-busy"
        return self.model.expect_update(_SERVICE, step.caller, step.body)

    def apply(self, symbol: str) -> None:
        """Change the state as a symbol does of which came what must."""
        step = _SYMBOLS[symbol]
        if step.operation == "createContainer" and self.expect(symbol)[0] == "accept":
            self.model.apply_create(_SERVICE, "red", _SLUG, step.body)
        elif step.operation == "setStatus" and _SERVICE in self.model.services:
            self.model.set_status(_SERVICE, step.status or "")


def list_words(symbols: Sequence[str]) -> list[tuple[str, ...]]:
    """Return words that lead through each transition of the contract and tell the state after it.

    They show every fault of a target that has no more states than the contract (the W-method of Chow).
    """
    telling = [word for word in _TELLING if {*word} <= {*symbols}]
    return [
        (*access, symbol, *word)
        for access in _list_accesses(symbols)
        for symbol in symbols
        for word in telling
    ]


def _list_accesses(symbols: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the shortest word to each state of the contract."""
    start = ContractState()
    seen: list[object] = [start.key]
    found: list[tuple[tuple[str, ...], ContractState]] = [((), start)]
    for word, state in found:
        for symbol in symbols:
            following = deepcopy(state)
            following.apply(symbol)
            if following.key not in seen:
                seen.append(following.key)
                found.append(((*word, symbol), following))
    return [word for word, _ in found]
