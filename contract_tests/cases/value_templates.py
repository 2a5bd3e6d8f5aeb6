"""Value templates of the case tables, such as ``$text`` and ``$slug``, and new slugs."""

import base64
import secrets
from collections.abc import Callable, Mapping
from random import Random
from threading import Lock
from typing import Any

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_SLUG_INNER = frozenset(_ALPHABET + "-")
MAX_SLUG_LENGTH = 100
_FRESH_LENGTH = 12
_TOO_SHORT = 2  # characters: no slug is so short


class SlugFactory:
    """New slugs, unique within a run and between runs, since each run draws a random part.

    With a ``seed`` the slugs are the same each time, for targets that start empty.
    """

    def __init__(self, prefix: str = "ck-", *, seed: int | None = None) -> None:
        """Set the prefix of all slugs except short ones; raise ValueError if no slug can start with it."""
        self._random = secrets.SystemRandom() if seed is None else Random(seed)  # noqa: S311 - not a secret
        rest = prefix.replace("-", "a")
        if not rest or len(prefix) > 40 or prefix[0] == "-" or any(c not in _ALPHABET for c in rest):
            raise ValueError(
                f"{prefix!r} cannot start a slug: use at most 40 lower-case letters, digits and hyphens"
            )
        self._stem = prefix + self._draw(8)
        self._count = 0
        self._lock = Lock()

    def new_slug(self, length: int | None = None) -> str:
        """Return a new slug; one of a given ``length`` is drawn at random."""
        with self._lock:
            self._count += 1
            slug = self._stem + _to_base36(self._count).rjust(4, "0")
        return slug if length is None else self._draw(length)

    def _draw(self, length: int) -> str:
        return "".join(self._random.choice(_ALPHABET) for _ in range(length))


def fill_templates(value: Any, slugs: Callable[[int | None], str]) -> Any:
    """Return ``value`` with every template in it replaced."""
    if isinstance(value, Mapping):
        if len(value) == 1:
            ((key, arguments),) = value.items()
            if key in _MAKERS:
                return _MAKERS[key](arguments, slugs)
        return {key: fill_templates(item, slugs) for key, item in value.items()}
    if isinstance(value, list):
        return [fill_templates(item, slugs) for item in value]
    return value


def freshen(value: Any, fresh: str) -> Any:
    """Return an invalid slug that no run has sent yet, with the same fault.

    A target that wrongly accepts the slug stores it, and would refuse it the next time as taken. ``fresh`` is a new
    valid slug. The first and the last character, other characters, the type and a wrong length stay. An empty text,
    a boolean and null have no other value.
    """
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return value + secrets.randbelow(10**9)
    if isinstance(value, list):
        return [freshen(item, fresh) for item in value]
    if isinstance(value, Mapping):
        return {key: freshen(item, fresh) for key, item in value.items()}
    return _freshen_text(str(value), fresh)


def find_fresh_span(text: str, size: int) -> tuple[int, int] | None:
    """Return the span of an invalid slug that ``size`` fresh characters may replace, so that its fault stays."""
    if len(text) <= _TOO_SHORT:
        return None
    if len(text) + size <= MAX_SLUG_LENGTH:
        return 1, 1
    starts = range(1, len(text) - size)
    return next(((n, n + size) for n in starts if set(text[n : n + size]) <= _SLUG_INNER), None)


def _freshen_text(text: str, fresh: str) -> str:
    stem = fresh[-_FRESH_LENGTH:].replace("-", "0")
    if len(text) <= _TOO_SHORT:  # each character of the alphabet becomes another one
        return "".join(secrets.choice(_ALPHABET) if c in _ALPHABET else c for c in text)
    span = find_fresh_span(text, len(stem))
    return text if span is None else f"{text[: span[0]]}{stem}{text[span[1] :]}"


def _make_text(arguments: Mapping[str, Any], _slugs: Callable[[int | None], str]) -> str:
    start, fill, length = arguments["start"], arguments["fill"], arguments["length"]
    return str(start + fill * max(0, length - len(start)))[:length]


def _make_slug(arguments: Mapping[str, Any], slugs: Callable[[int | None], str]) -> str:
    start, end = arguments.get("start", ""), arguments.get("end", "")
    slug = slugs(arguments.get("length"))
    if arguments.get("digits"):
        return "".join(str(int(character, 36) % 10) for character in slug)
    return f"{start}{slug[len(start) : len(slug) - len(end)]}{end}"


def _make_repeated(arguments: Mapping[str, Any], slugs: Callable[[int | None], str]) -> list[Any]:
    return [fill_templates(arguments["value"], slugs)] * int(arguments["count"])


def _make_numbered(arguments: Mapping[str, Any], _slugs: Callable[[int | None], str]) -> list[Any]:
    other = dict(arguments.get("other", ()))
    numbers = range(int(arguments["count"]))
    return [other[n] if n in other else _number_texts(arguments["value"], str(n)) for n in numbers]


def _number_texts(value: Any, number: str) -> Any:
    if isinstance(value, Mapping):
        return {key: _number_texts(item, number) for key, item in value.items()}
    return value.replace("{n}", number) if isinstance(value, str) else value


def _make_nested(arguments: Mapping[str, Any], slugs: Callable[[int | None], str]) -> str:
    depth, opening, closing = arguments["depth"], arguments["open"], arguments["close"]
    head = arguments.get("start") or (
        f'{{"service_slug": "{slugs(None)}", "display_name": "Nested", "docker_image": "n", "extra": '
    )
    inner = "1" if opening != "[" else ""
    return f"{head}{opening * depth}{inner}{closing * depth}}}"


def _make_bytes(arguments: str, _slugs: Callable[[int | None], str]) -> bytes:
    return base64.b64decode(arguments)


def _make_latin1(arguments: str, slugs: Callable[[int | None], str]) -> bytes:
    return arguments.replace("{slug}", slugs(None)).encode("latin-1")


_MAKERS: dict[str, Callable[[Any, Callable[[int | None], str]], Any]] = {
    "$text": _make_text,
    "$slug": _make_slug,
    "$repeat": _make_repeated,
    "$numbered": _make_numbered,
    "$nested": _make_nested,
    "$bytes": _make_bytes,
    "$latin1": _make_latin1,
}


def _to_base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = _ALPHABET[rest] + digits
    return digits
