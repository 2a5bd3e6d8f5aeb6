"""The sorting: which mutants the contract forbids, and which it leaves open, each with the fact that says so.

It is written from the facts, before anything is judged, and asks neither the oracle nor the judge. The first row
that fits decides. ``source`` names a rule, a choice, or a standard on which both pages rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.audit.model import Mutant, Place

_REFUSALS: tuple[Place, ...] = ("status of a refusal", "documented status of a refusal")
_STATUSES: tuple[Place, ...] = ("status of a success", *_REFUSALS)
_IDS: tuple[Place, ...] = ("id of a create", "id of an update")


@dataclass(frozen=True, slots=True)
class Row:
    """One row; empty ``operators`` or ``variants`` stand for all."""

    operators: tuple[str, ...]
    places: tuple[Place, ...]
    forbidden: bool
    reason: str
    source: str
    variants: tuple[str, ...] = ()

    def fits(self, mutant: Mutant) -> bool:
        """Return whether the row is about a mutant."""
        return (
            mutant.operator in (self.operators or (mutant.operator,))
            and mutant.place in self.places
            and mutant.variant in (self.variants or (mutant.variant,))
        )


SORTING: Sequence[Row] = (
    # Status
    Row(("R5XX",), _STATUSES, False, "A 503 says that the deployment is busy.", "RFC 9110, 15.6.4", ("503",)),
    Row(
        ("R5XX",),
        _STATUSES,
        True,
        "Any answer to an open request is fine, but a server error is not.",
        "all rules",
    ),
    Row(
        ("R2XX",),
        ("status of a success",),
        True,
        "A 204 has no content, so it cannot hold the documented id.",
        "created, updated; RFC 9110, 15.3.5",
        ("204",),
    ),
    Row(
        ("R2XX",),
        ("status of a success",),
        False,
        "No page tells the status of a success.",
        "created-status, updated-status",
    ),
    Row(
        ("R2XX",),
        _REFUSALS,
        True,
        "The response to an accepted request holds an id, and this one holds a refusal.",
        "created, updated",
    ),
    Row(
        ("R4XX",),
        ("status of a success",),
        False,
        "The stored state or the caller may be the reason, and a recording shows neither.",
        "slug-unique, service-exists, not-while-busy, auth-known",
    ),
    Row(
        ("R4XX",),
        ("documented status of a refusal",),
        True,
        "A page documents the status 400 of a user session without a team.",
        "team-required-for-jwt",
    ),
    Row(("R4XX",), ("status of a refusal",), False, "No page tells the status of this refusal.", "…-status"),
    # Headers
    Row((), ("header",), False, "No page tells a header of a response.", "left open by the pages"),
    # The id
    Row(
        ("MUT", "+ID"),
        ("id of a create",),
        False,
        "It is a UUID still, and the deployment chooses its ids.",
        "created, id-version",
        ("digit replaced", "another"),
    ),
    Row(("+ID",), _IDS, False, "No page tells the letter case of an id.", "id-case", ("other letter case",)),
    Row(
        ("+ID",),
        ("id of a create",),
        True,
        "Each create returns a new id.",
        "created",
        ("of an earlier create",),
    ),
    Row(("MUT", "+ID"), ("id of an update",), True, "The id is the one in the path.", "updated"),
    Row((), _IDS, True, "The response holds an id, which is a UUID.", "created, updated"),
    # Bodies
    Row(
        ("OPA",),
        ("body of a success",),
        False,
        "No page forbids further properties.",
        "extra-answer-properties",
    ),
    Row(
        ("+BODY",),
        ("body of a success",),
        False,
        "White space around JSON means nothing.",
        "RFC 8259, 2",
        ("with white space",),
    ),
    Row(("+BODY",), ("body of a success",), True, "The response is one JSON object.", "created, updated"),
    Row(
        (),
        ("another property of a success",),
        False,
        "No page tells further properties of a response.",
        "extra-answer-properties",
    ),
    Row((), ("body of a refusal",), False, "The body of an error is documented nowhere.", "error-body"),
)


def sort_mutant(mutant: Mutant) -> Row:
    """Return the row that decides about a mutant; raise LookupError if there is none."""
    for row in SORTING:
        if row.fits(mutant):
            return row
    raise LookupError(f"the sorting has no row for {mutant.operator} on the {mutant.place}")
