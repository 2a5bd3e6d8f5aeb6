"""Trials: the values of an update that show a choice, accepted or refused beside valid values that are accepted."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from contract_tests.calibration.probing.prober import Judged, Prober, name_body
from contract_tests.calibration.probing.sighting import Answer, CannotSee, find_reaction, require_reaction
from contract_tests.contract.choices import load_choices
from contract_tests.contract.property_rules import find_nearest_rule

Values = Mapping[str, Any]
#: The options that an accepted update shows.
ACCEPTING = ("accepted", "ignored", "optional", "absent")
ENV_ITEM, VOLUME_ITEM = (
    {"env_name": "MODE", "env_value": "test"},
    {"host_path": "/srv/data", "container_path": "/data"},
)


@dataclass(frozen=True, slots=True)
class Trial:
    """Values of which an update has one each or all; ``rule`` is the one that a server error breaks.

    A refusal counts only beside valid values (``control``) that are accepted, an acceptance only beside a ``wrong``
    value that is refused, which breaks the rule ``wrong_rule``. A deployment may refuse a control that is open.
    """

    values: tuple[Values, ...]
    control: Values = field(default_factory=dict)
    wrong: Values = field(default_factory=dict)
    wrong_rule: str = ""
    rule: str = "updated"
    kind: str = "deployed"
    is_control_open: bool = False

    def run(self, prober: Prober, accepted: Answer | None = None) -> list[Answer]:
        """Return the answers, which have the same reaction: to all values at once, or to each alone.

        ``accepted`` is the answer to a request that has them among others, if there is one.
        """
        answers = [accepted] if accepted else self._ask_all(prober)
        if find_reaction(answers) == "refused":
            self._require_control(prober)
        elif self.wrong:
            wrong = prober.update(
                body=self.wrong, service=self.kind, judged=Judged(self.wrong_rule, "refuse")
            )
            require_reaction(wrong, "refused")
        return answers

    def _require_control(self, prober: Prober) -> None:
        """Raise CannotSee if the valid values are refused: first all of them are sent, then each alone."""
        if not self.control:
            return
        whole = prober.update(body=self.control, service=self.kind)
        if whole.reaction == "accepted" or self.is_control_open:
            require_reaction(whole, "accepted")
            return
        for name, value in self.control.items():
            rule = find_nearest_rule("updateContainer", name, value)
            prober.require_accepted({name: value}, service=self.kind, rule=rule)
        raise CannotSee(f"{name_body(self.control)} is refused, and each of these values alone is accepted")

    def _ask_all(self, prober: Prober) -> list[Answer]:
        whole = {name: value for values in self.values for name, value in values.items()}
        if len(whole) == len(self.values):  # no value takes the place of another
            answer = self._ask(prober, whole)
            if len(self.values) == 1 or answer.reaction == "accepted":
                return [answer]
        return [self._ask(prober, values) for values in self.values]

    def _ask(self, prober: Prober, values: Values) -> Answer:
        return prober.update(body=values, service=self.kind, judged=Judged(self.rule))


ITEMS_CONTROL = {"env_config": [ENV_ITEM], "volume_config": [VOLUME_ITEM]}
WRONG_ENV = ({"env_config": [{**ENV_ITEM, "env_value": 7}]}, "env-value-type")
_WRONG_VOLUME = ({"volume_config": [{**VOLUME_ITEM, "host_path": 7}]}, "host-path-type")
_URL_CONTROL = {"external_url": "https://fixture.example.com/api"}
_CREDENTIAL = "external_auth_credential_id"
_UUID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
#: An external service has no use for it.
UNUSED_IMAGE = "acme/unused:1"
_TEXT_CONTROL = {"service_desc": "ab", "docker_image": "nginx"}
_WRONG_TEXT = ({"service_desc": 7}, "service-desc-type")
_WRONG_URL = ({"external_url": "http://fixture.example.com/api"}, "external-url-pattern")


def _try_credential(value: str) -> Trial:
    wrong, rule = {_CREDENTIAL: "not-a-uuid"}, "external-credential-format"
    return Trial(
        ({_CREDENTIAL: value},), {_CREDENTIAL: _UUID}, wrong, rule, kind="external", is_control_open=True
    )


#: The trial of each choice that values of updates show; what is accepted or refused there is confirmed on creates.
TRIALS: Mapping[str, Trial] = {
    "nul-characters": Trial(({"service_desc": "a\0b"},), _TEXT_CONTROL, *_WRONG_TEXT, rule="body-text"),
    "control-characters": Trial(({"service_desc": "a\1b"},), _TEXT_CONTROL, *_WRONG_TEXT),
    "integral-floats": Trial(
        ({"exposed_port": 8080.0}, {"replica_count": 2.0}),
        {"exposed_port": 8080, "replica_count": 2},
        {"exposed_port": 8080.5},
        "exposed-port-type",
        rule="exposed-port-type",
    ),
    "null-items": Trial(({"env_config": [None]},), ITEMS_CONTROL, *WRONG_ENV),
    "null-item-properties": Trial(
        ({"env_config": [{**ENV_ITEM, "env_value": None}]},), ITEMS_CONTROL, *WRONG_ENV
    ),
    "unknown-properties": Trial(({"x_calibration": "unknown"},), rule="unknown-properties-ignored"),
    "unknown-item-properties": Trial(
        (
            {"env_config": [{**ENV_ITEM, "x_calibration": "a"}]},
            {"volume_config": [{**VOLUME_ITEM, "x_calibration": "a"}]},
        ),
        ITEMS_CONTROL,
        *WRONG_ENV,
    ),
    "gpu-count-below-minus-one": Trial(
        ({"gpu_count": -2},), {"gpu_count": -1}, {"gpu_count": "2"}, "gpu-count-type", rule="gpu-count-range"
    ),
    "large-gpu-counts": Trial(
        ({"gpu_count": 2**31},),
        {"gpu_count": 2**31 - 1},
        {"gpu_count": "2"},
        "gpu-count-type",
        is_control_open=True,
    ),
    "empty-env-name": Trial(({"env_config": [{**ENV_ITEM, "env_name": ""}]},), ITEMS_CONTROL, *WRONG_ENV),
    "env-name": Trial(({"env_config": [{"env_value": "test"}]},), ITEMS_CONTROL, *WRONG_ENV),
    "env-value": Trial(({"env_config": [{"env_name": "MODE"}]},), ITEMS_CONTROL, *WRONG_ENV),
    "host-path": Trial(({"volume_config": [{"container_path": "/data"}]},), ITEMS_CONTROL, *_WRONG_VOLUME),
    "container-path": Trial(
        ({"volume_config": [{"host_path": "/srv/data"}]},), ITEMS_CONTROL, *_WRONG_VOLUME
    ),
    "private-hosts": Trial(
        ({"external_url": "https://10.0.0.1/"}, {"external_url": "https://localhost/"}),
        _URL_CONTROL,
        *_WRONG_URL,
        kind="external",
    ),
    "one-label-hosts": Trial(
        ({"external_url": "https://f/api"},), _URL_CONTROL, *_WRONG_URL, kind="external"
    ),
    "urls-without-host": Trial(({"external_url": "https://"},), _URL_CONTROL, *_WRONG_URL, kind="external"),
    "url-characters": Trial(
        ({"external_url": "https://fixture.example.com/a b"},), _URL_CONTROL, *_WRONG_URL, kind="external"
    ),
    "credential-forms": _try_credential(f"urn:uuid:{_UUID}"),
    "credential-capitals": _try_credential(_UUID.upper()),
    "credential-versions": _try_credential(str(UUID(int=0))),
    "empty-docker-image-on-update": Trial(({"docker_image": ""},), _TEXT_CONTROL, *_WRONG_TEXT),
    "docker-image-on-external-update": Trial(
        ({"docker_image": UNUSED_IMAGE},), {}, *_WRONG_URL, kind="external"
    ),
}


#: Trials whose values few deployments refuse: one request may show that all are accepted.
_TOGETHER = (
    ("control-characters", "large-gpu-counts", "empty-env-name", "empty-docker-image-on-update"),
    ("docker-image-on-external-update", "one-label-hosts", "credential-capitals"),
)


def pack_trials(names: Iterable[str]) -> list[list[str]]:
    """Return groups of trials of one kind whose values fit into one body."""
    groups: list[list[str]] = []
    for name in names:
        fitting = (group for group in groups if _fits(name, group))
        group = next(fitting, None)
        if group is None:
            groups.append([name])
        else:
            group.append(name)
    return groups


def _fits(name: str, group: Iterable[str]) -> bool:
    trials = [TRIALS[other] for other in group]
    plain = {key for trial in trials for key in _list_plain(trial)}
    is_same_kind = all(trial.kind == TRIALS[name].kind for trial in trials)
    return is_same_kind and not plain.intersection(_list_plain(TRIALS[name]))


def _list_plain(trial: Trial) -> Iterator[str]:
    """Yield the properties of a trial that take one value; arrays can be joined."""
    for values in trial.values:
        yield from (name for name, value in values.items() if not isinstance(value, list))


def merge_values(several: Iterable[Values]) -> dict[str, Any]:
    """Return all values in one body; arrays of the same name are joined."""
    merged: dict[str, Any] = {}
    for values in several:
        for name, value in values.items():
            known = merged.get(name)
            merged[name] = [*known, *value] if isinstance(known, list) else value
    return merged


def applies_to_creates(name: str) -> bool:
    """Return whether the choice of a trial is one of creates, too."""
    return "createContainer" in load_choices()[name].operations


def run_trial(prober: Prober, choice: str) -> list[Answer]:
    """Return the answers to the trial of a choice, or the one to several trials if all of them are accepted."""
    trial = TRIALS[choice]
    for group in _TOGETHER:
        if choice in group:
            body = merge_values(values for name in group for values in TRIALS[name].values)
            together = prober.update(body=body, service=trial.kind, judged=Judged(trial.rule))
            if together.reaction == "accepted":
                return trial.run(prober, together)
    return trial.run(prober)
