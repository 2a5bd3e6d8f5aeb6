"""Probes of how answers look. They read what was answered already, and send little."""

from collections.abc import Iterable, Mapping
from typing import Any

from contract_tests.calibration.probing.prober import Judged, Prober
from contract_tests.calibration.probing.sighting import (
    Answer,
    CannotSee,
    Confidence,
    Sighting,
    require_reaction,
)
from contract_tests.calibration.probing.stored import parse_accepted, read_stored, require_readback
from contract_tests.calibration.probing.trials import UNUSED_IMAGE
from contract_tests.contract.choices import Option
from contract_tests.contract.files.json_text import parse_json
from contract_tests.results.judge import is_uuid
from contract_tests.targets.exchange import Exchange

#: Properties without a default, which a plain deployed create leaves out.
_NEVER_SENT = (
    "env_config",
    "volume_config",
    "required_labels",
    "service_desc",
    "usage_prompt",
    "openapi_url",
)
_FORMS = {"application/problem+json": "problem", "application/json": "json", "text/plain": "text"}


def created_status(prober: Prober) -> Sighting:
    """See the status of creates."""
    return _see_same("a create was answered {}", (each.status for each, _ in _list_accepted(prober, "POST")))


def updated_status(prober: Prober) -> Sighting:
    """See the status of updates."""
    prober.find_base("deployed")
    return _see_same("an update was answered {}", (each.status for each, _ in _list_accepted(prober, "PUT")))


def id_version(prober: Prober) -> Sighting:
    """See the version of the ids."""
    versions = [body["id"][14] for _, body in _list_accepted(prober, "POST")]
    return _see_same("the id of a create has version {}", versions)


def id_case(prober: Prober) -> Sighting:
    """See the case of the letters of ids."""
    prober.find_base("deployed")
    accepted = [*_list_accepted(prober, "POST"), *_list_accepted(prober, "PUT")]
    ids = [body["id"] for _, body in accepted]
    cases = ["lower" if text.islower() else "upper" for text in ids if text.islower() or text.isupper()]
    if any(text.upper() != text and text.lower() != text for text in ids):
        raise CannotSee("ids have letters of both cases")
    return _see_same("ids are written in {} case", cases)


def extra_answer_properties(prober: Prober) -> Sighting:
    """See whether answers hold more than the id, on both operations."""
    prober.find_base("deployed")
    accepted = [*_list_accepted(prober, "POST"), *_list_accepted(prober, "PUT")]
    seen = ["absent" if len(body) == 1 else "present" for _, body in accepted]
    return _see_same("in answers to creates and updates, more properties are {}", seen)


def absent_values(prober: Prober) -> Sighting:
    """See how a read-back shows what was never sent."""
    shown = read_stored(prober)
    forms = [_name_absent(shown, name) for name in _NEVER_SENT]
    return _see_same("in the read-back of a new service, values never sent are {}", forms)


def _name_absent(shown: Mapping[str, Any], name: str) -> str:
    if name not in shown:
        return "omitted"
    if shown[name] is None:
        return "null"
    if shown[name] in ("", []):
        return "empty"
    raise CannotSee(f"the read-back shows {name}, which was never sent")


def unused_docker_image(prober: Prober) -> Sighting:
    """See whether the read-back of an external service shows a docker_image that was sent beside a name."""
    require_readback(prober)
    image, name = UNUSED_IMAGE, "Unused image"
    body = {"docker_image": image, "display_name": name}
    answer = prober.update(body=body, service="external", judged=Judged("docker-image-type"))
    require_reaction(answer, "accepted")
    stored = read_stored(prober, "external")
    if stored.get("display_name") != name:
        raise CannotSee(f"{answer.tell()}, and the read-back does not show the name")
    shown = stored.get("docker_image")
    if shown not in (image, None, ""):
        raise CannotSee(f"{answer.tell()}, and the read-back shows another docker_image")
    option = "shown" if shown == image else "hidden"
    return Sighting(option, f"{answer.tell()}, and in the read-back the image is {option}")


def error_body(prober: Prober) -> Sighting:
    """See what refusals consist of."""
    refusals = prober.wire.refusals
    if not refusals:
        raise CannotSee("nothing was refused")
    return _see_same("the body of a refusal is {}", map(_name_form, refusals))


def _name_form(answer: Answer) -> str:
    if not answer.text:
        return "empty"
    media_type = answer.media_type.partition(";")[0].strip().lower()
    form = _FORMS.get(media_type)
    if form is None:
        raise CannotSee(f"a refusal has the media type {media_type or 'none'}, which is no option")
    if form != "text":
        try:
            parse_json(answer.text)
        except ValueError:
            raise CannotSee(f"a refusal is {media_type}, and not JSON") from None
    return form


def _see_same(sentence: str, options: Iterable[Option]) -> Sighting:
    """Return the one option that all answers show; raise CannotSee for none or several."""
    seen = list(options)
    kinds = sorted(set(seen), key=str)
    if len(kinds) != 1:
        raise CannotSee(
            f"the answers differ: {', '.join(map(str, kinds))}" if kinds else "no answer shows it"
        )
    times = f", in each of {len(seen)} answers" if len(seen) > 1 else ""
    confidence: Confidence = "high" if len(seen) > 1 else "medium"
    return Sighting(kinds[0], sentence.format(kinds[0]) + times, confidence)


def _list_accepted(prober: Prober, method: str) -> list[tuple[Exchange, dict[str, Any]]]:
    """Return the accepted creates or updates, each with the body of its answer, which has an id."""
    sent = (each for each in prober.wire.executor.sender.traffic if each.method == method)
    return [(each, body) for each in sent if (body := parse_accepted(each)) and is_uuid(body.get("id"))]
