"""Probes of how a body is read: its media type, its bytes, its JSON."""

from contract_tests.calibration.probes import faults
from contract_tests.calibration.probing.prober import Judged, Prober
from contract_tests.calibration.probing.sighting import (
    CannotSee,
    Sighting,
    find_reaction,
    see,
    see_status,
)
from contract_tests.calibration.probing.stored import read_stored

_NO_TYPE = (("Content-Type", None),)
#: Nested levels, of which the whole body has less than 16 KiB.
_DEPTH = 7000
#: Which of these parameters are accepted, by option.
_PARAMETERS = ("charset=utf-8", "version=1", "charset=iso-8859-1")
_ACCEPTED_PARAMETERS: dict[tuple[bool, ...], str] = {
    (True, True, False): "not-another-charset",
    (True, False, False): "utf-8",
    (False, False, False): "none",
    (True, True, True): "any",
}


def media_type_status(prober: Prober) -> Sighting:
    """See the status of a body that is not declared as JSON."""
    xml = prober.update(
        "with the Content-Type application/xml",
        headers=(("Content-Type", "application/xml"),),
        judged=Judged("body-media-type", "refuse"),
    )
    return see_status([faults.ask(prober, faults.OTHER_MEDIA_TYPE), xml])


def missing_media_type(prober: Prober) -> Sighting:
    """See whether a body without Content-Type is read: then a wrong value in it is refused."""
    plain = prober.update("without Content-Type", headers=_NO_TYPE, judged=Judged("body-media-type"))
    if find_reaction([plain]) == "refused":
        return see("refused", [plain])
    wrong = prober.update(
        'without Content-Type and with {"exposed_port": 0}', {"exposed_port": 0}, headers=_NO_TYPE
    )
    if find_reaction([wrong]) == "accepted":
        raise CannotSee(f"{plain.tell()}, but a wrong value in such a body is not noticed")
    return see("json", [plain, wrong])


def media_type_parameters(prober: Prober) -> Sighting:
    """See which parameters Content-Type may have."""
    answers = [
        prober.update(
            f"with the Content-Type application/json; {parameter}",
            headers=(("Content-Type", f"application/json; {parameter}"),),
            judged=Judged("body-media-type"),
        )
        for parameter in _PARAMETERS
    ]
    accepted = tuple(find_reaction([answer]) == "accepted" for answer in answers)
    option = _ACCEPTED_PARAMETERS.get(accepted)
    if option is None:
        raise CannotSee("no option: " + "; ".join(answer.tell() for answer in answers))
    return see(option, answers)


def other_json_types(prober: Prober) -> Sighting:
    """See whether a body of another type of JSON is read: then a wrong value in it is refused."""
    headers, what = (
        (("Content-Type", "application/merge-patch+json"),),
        "with the Content-Type application/{}",
    )
    what = what.format("merge-patch+json")
    plain = prober.update(what, headers=headers, judged=Judged("body-media-type"))
    if find_reaction([plain]) == "refused":
        return see("refused", [plain])
    wrong = prober.update(f'{what} and with {{"exposed_port": 0}}', {"exposed_port": 0}, headers=headers)
    if find_reaction([wrong]) == "accepted":
        raise CannotSee(f"{plain.tell()}, but a wrong value in such a body is not noticed")
    return see("json", [plain, wrong])


def other_encodings(prober: Prober) -> Sighting:
    """See whether a body in Latin-1 is read: then its text is stored."""
    raw = '{"display_name": "caf\u00e9"}'.encode("latin-1")
    answer = prober.update("with a body in Latin-1", raw=raw, judged=Judged("body-json"))
    if find_reaction([answer]) == "accepted" and read_stored(prober).get("display_name") != "caf\u00e9":
        raise CannotSee(f"{answer.tell()}, and its text is not what was stored")
    return see(find_reaction([answer]), [answer], "medium")


def null_update_body(prober: Prober) -> Sighting:
    """See whether null is an update of nothing."""
    answer = prober.update("with null", raw="null", judged=Judged("body-object"))
    return see(find_reaction([answer]), [answer])


def malformed_body_status(prober: Prober) -> Sighting:
    """See the status of a body that is no JSON."""
    return see_status([faults.ask(prober, faults.MALFORMED_BODY)])


def half_surrogates(prober: Prober) -> Sighting:
    """See whether half a surrogate pair has the status of an invalid or of a malformed body.

    Where both bodies have one status, both options mean the same: the usual one is seen without a third request.
    """
    invalid, malformed = faults.ask(prober, faults.INVALID_VALUE), faults.ask(prober, faults.MALFORMED_BODY)
    if see_status([invalid]).option == see_status([malformed]).option:
        return see("invalid", [invalid, malformed])
    prober.require_accepted({"display_name": "a\U0001f600b"}, rule="display-name-type")  # a whole pair
    raw = r'{"display_name": "a\ud800b"}'
    answer = prober.update("with half a surrogate pair", raw=raw, judged=Judged("body-text", "refuse"))
    status = see_status([answer]).option
    if status not in (invalid.status, malformed.status):
        raise CannotSee(f"{answer.tell()}, as neither an invalid nor a malformed body is")
    return see("invalid" if status == invalid.status else "malformed", [answer])


def empty_update_body(prober: Prober) -> Sighting:
    """See whether an empty body is an update of nothing."""
    answer = prober.update("with an empty body", raw=b"", judged=Judged("body-json"))
    return see(find_reaction([answer]), [answer])


def repeated_keys(prober: Prober) -> Sighting:
    """See whether a repeated key is refused, and if not, whether its last value counts."""
    raw = '{"display_name": "First", "display_name": "Last"}'
    answer = prober.update(f"with {raw}", raw=raw, judged=Judged("body-keys"))
    if find_reaction([answer]) == "refused":
        prober.require_accepted({"display_name": "Last"}, rule="display-name-type")
        return see("refused", [answer])
    if not prober.wire.executor.readback:
        return see("accepted", [answer], "medium")
    shown = read_stored(prober).get("display_name")
    if shown != "Last":
        raise CannotSee(f"{answer.tell()}, and not the last value counts")
    return see("accepted", [answer])


def deep_bodies(prober: Prober) -> Sighting:
    """See whether a body of thousands of levels is refused; only an unknown property can hold one."""
    shallow = prober.update("with an unknown property that holds []", raw='{"x_calibration": []}')
    if find_reaction([shallow]) == "refused":
        raise CannotSee("unknown properties are refused here, and no other can be deep")
    raw = f'{{"x_calibration": {"[" * _DEPTH}{"]" * _DEPTH}}}'
    answer = prober.update(
        f"with an unknown property of {_DEPTH:,} levels", raw=raw, judged=Judged("body-depth")
    )
    return see(find_reaction([answer]), [answer])
