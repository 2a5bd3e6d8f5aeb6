"""Forms of a plain create: a target that refuses the simplest one is judged by another that it accepts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class CreateForm:
    """How a run writes its creates.

    ``rule`` allows the plain form, and is broken where the target accepts this form only. ``extra`` are properties
    that a create of either type has unless its case sets them; ``headers`` are sent unless a case sets them.
    """

    name: str
    rule: str = "created"
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()
    reversed_keys: bool = False
    slug_prefix: str = ""

    def arrange_body(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body of a create in this form."""
        whole = {**self.extra, **body}
        return dict(reversed(whole.items())) if self.reversed_keys else whole

    def arrange_text(self, text: str) -> str:
        """Return the text of a create's body with the extra properties at the beginning of its first object."""
        start, brace, rest = text.partition("{")
        extra = {name: value for name, value in self.extra.items() if f'"{name}"' not in rest}
        if not extra or not brace or rest.lstrip().startswith("}"):
            return text
        return f"{start}{{{json.dumps(extra)[1:-1]}, {rest}"


PLAIN = CreateForm("plain")


def list_create_forms(bodies: Mapping[str, Any]) -> tuple[CreateForm, ...]:
    """Return the forms in the order in which they are tried, from the plain one to the fullest."""
    optional = {k: v for k, v in bodies["deployed-full"].items() if k not in bodies["deployed"]}
    accept = ("Accept", "application/json")
    return (
        PLAIN,
        CreateForm("with an explicit type", "service-type-default", {"service_type": "deployed"}),
        CreateForm("with its keys in another order", "request-forms", reversed_keys=True),
        CreateForm("with an Accept header", "request-forms", headers=(accept,)),
        CreateForm("with a slug without hyphens", "service-slug-pattern", slug_prefix="k"),
        CreateForm("with every property", extra=optional),
    )
