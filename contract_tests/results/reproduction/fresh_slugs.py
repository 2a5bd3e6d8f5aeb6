"""Fresh slugs: a command that sends a create again needs another slug, since the recorded one is taken by now."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contract_tests.cases.model import Case
from contract_tests.cases.value_templates import find_fresh_span
from contract_tests.contract.files.json_text import parse_json
from contract_tests.results.reproduction.curl import escape_double_quoted
from contract_tests.targets.exchange import Exchange

_PLAIN_SLUG = re.compile(r"[a-z0-9-]{3,100}")
_LONG_SLUG = 60  # from here on the time takes the place of characters, so that the length stays
_LONG_START = 3  # of the characters that it replaces, after the prefix
_SLUG_TEXT = re.compile(r'"service_slug"\s*:\s*"([^"\\]*)"')
_NOW = "$(date +%s)"
_NOW_LENGTH = 10  # digits


@dataclass(frozen=True, slots=True)
class FreshSlug:
    """A slug as it stands in a recorded body, and what a shell in double quotes puts in its place."""

    recorded: str
    fresh: str

    @property
    def is_plain(self) -> bool:
        """True if the recorded text has no character that a pattern of ``sed`` could misread."""
        return _PLAIN_SLUG.fullmatch(self.recorded) is not None


def list_fresh_slugs(case: Case, exchanges: Iterable[Exchange]) -> list[FreshSlug]:
    """Return a fresh slug for each slug that can have one, in the order of the requests.

    A slug that contains another one, as a similar slug does, changes together with it. A valid slug under test stays,
    and so do two that would become equal. An update that sets another slug may have taken that one, too.
    """
    if _is_about_slugs(case) and case.expect != "refuse":
        return []
    slugs = dict.fromkeys(slug for exchange in exchanges for slug in _read_slugs(exchange))
    fresh = [one for slug in slugs if (one := _renew_slug(slug, invalid=_is_about_slugs(case)))]
    texts = [one.recorded for one in fresh]
    forms = Counter(one.fresh for one in fresh)
    single = [one for one in fresh if forms[one.fresh] == 1]
    return [one for one in single if not any(t in one.recorded for t in texts if t != one.recorded)]


def is_taken_again(case: Case, exchanges: Sequence[Exchange]) -> bool:
    """Return whether an accepted slug, such as an empty one, has no fresh form: the next time it is taken."""
    last = exchanges[-1] if exchanges else None
    if last is None or last.method != "POST" or not 200 <= last.status < 300 or not _is_about_slugs(case):
        return False
    return not list_fresh_slugs(case, [last])


def _is_about_slugs(case: Case) -> bool:
    return case.rule.startswith("service-slug")


def _renew_slug(slug: str | float, *, invalid: bool) -> FreshSlug | None:
    """Return the fresh form of a slug; an invalid one keeps its fault."""
    if not isinstance(slug, str):
        fraction = str(slug).lstrip("-0123456789")
        return FreshSlug(f'"service_slug": {slug}', f'\\"service_slug\\": {_NOW}{fraction}')
    if not invalid:
        return FreshSlug(slug, _add_time(slug)) if _PLAIN_SLUG.fullmatch(slug) else None
    span = find_fresh_span(slug, _NOW_LENGTH)
    if span is None:
        return None
    head, tail = slug[: span[0]], slug[span[1] :]
    return FreshSlug(_to_json(slug), f"{_escape(head)}{_NOW}{_escape(tail)}")


def _add_time(slug: str) -> str:
    if len(slug) <= _LONG_SLUG:
        return f"{slug}-{_NOW}"
    return f"{slug[:_LONG_START]}{_NOW}{slug[_LONG_START + _NOW_LENGTH :]}"


def _escape(text: str) -> str:
    return escape_double_quoted(_to_json(text))


def _to_json(text: str) -> str:
    """Return a text as it stands between the quotes of a recorded body."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _read_slugs(exchange: Exchange) -> list[str | float]:
    """Return the texts and numbers that a request has as its slug; one that is not JSON may name several."""
    try:
        value = parse_json(exchange.body or "")
    except ValueError:
        value = None
    named = value.get("service_slug") if isinstance(value, dict) else None
    slugs = [named] if isinstance(named, str | int | float) and not isinstance(named, bool) else []
    written = _SLUG_TEXT.findall((exchange.body_bytes or b"").decode("latin-1"))
    return [*slugs, *(slug for slug in written if _PLAIN_SLUG.fullmatch(slug))]
