"""Probes of the largest body: blanks make a valid body of any size, so that a refusal is about the size alone."""

from contract_tests.calibration.probing.prober import Judged, Prober
from contract_tests.calibration.probing.sighting import (
    Answer,
    CannotSee,
    Sighting,
    find_reaction,
    see,
    see_status,
)

#: What every deployment accepts, and the largest body that is sent.
_LEAST, _MEBIBYTE, _GREATEST = 16 * 1024, 1024 * 1024, 4 * 1024 * 1024
_USUAL_LIMITS = tuple(sorted([*(1024 << power for power in range(5, 13)), 100_000, 1_000_000]))


def largest_body(prober: Prober) -> Sighting:
    """See the size of the largest body that is accepted, to the byte; at least the largest one that is sent."""
    accepted, refused = _find_limit(prober)
    if refused is None:
        return see(accepted, [_ask(prober, accepted)], "medium")
    if refused - accepted > 1:
        raise CannotSee(f"a body of {accepted:,} bytes is accepted, one of {refused:,} bytes is refused")
    return see(accepted, [_ask(prober, accepted), _ask(prober, refused)])


def too_large_status(prober: Prober) -> Sighting:
    """See the status of a body that is too large."""
    accepted, refused = _find_limit(prober)
    if refused is None:
        raise CannotSee(f"a body of {accepted:,} bytes is accepted, and no larger one was sent")
    return see_status([_ask(prober, refused)])


def _find_limit(prober: Prober) -> tuple[int, int | None]:
    """Return the largest accepted size and the smallest refused one; they differ by 1, except among megabytes.

    There is no refused one if the largest body that is sent is accepted.
    """
    accepted, refused = _LEAST, _GREATEST
    if not _accepts(prober, accepted):
        raise CannotSee(f"a body of {accepted:,} bytes is refused, and every deployment accepts it")
    if not _accepts(prober, _MEBIBYTE):
        refused = _MEBIBYTE
    elif not _accepts(prober, _MEBIBYTE + 1):
        return _MEBIBYTE, _MEBIBYTE + 1
    elif _accepts(prober, refused):
        return refused, None
    while (middle := _choose_size(accepted, refused)) is not None:
        if _accepts(prober, middle):
            accepted = middle
        else:
            refused = middle
    return accepted, refused


def _choose_size(accepted: int, refused: int) -> int | None:
    """Return a size between: a usual limit, then one byte more than it, then the middle; None at the end."""
    usual = [size for size in _USUAL_LIMITS if accepted < size < refused]
    if usual:
        return usual[len(usual) // 2]
    if refused - accepted < 2:
        return None
    if accepted in _USUAL_LIMITS:
        return accepted + 1
    return (accepted + refused) // 2 if accepted < _MEBIBYTE else None


def _accepts(prober: Prober, size: int) -> bool:
    return find_reaction([_ask(prober, size)]) == "accepted"


def _ask(prober: Prober, size: int) -> Answer:
    return prober.update(
        f"with a body of {size:,} bytes", raw="{" + " " * (size - 2) + "}", judged=Judged("body-size")
    )
