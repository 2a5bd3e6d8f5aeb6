"""The media-type and JSON stages: a raw body becomes a value, or violations. One function per rule."""

import functools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, NoReturn

from mock_server.contract.model import Contract, Mismatch, Operation, Violation
from mock_server.validation.request import Request

MAX_DEPTH = 100
#: The validator reads no deeper value, so that one is cut.
_MAX_VALIDATED_DEPTH = 200
_BAD_TEXT = re.compile("[\x00\ud800-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Possessive (*+): a long header is read once, whatever it holds.
_MEDIA_TYPE = re.compile(r"\s*+([^;\s]++)\s*+((?:;.*)?)", re.DOTALL)
_UTF8 = re.compile(r'charset\s*+=\s*+"?+utf-8"?+', re.IGNORECASE)
_CHARSET = re.compile(r';\s*+charset\s*+=\s*+"?+([^";\s]*+)"?+\s*+(?=;|\Z)', re.IGNORECASE)


class ParsedBody(NamedTuple):
    """The JSON value of a body, and the violations of its text.

    A body that is not `readable` has the value `{}`: no JSON, or text that no validator takes.
    """

    value: Any
    violations: list[Violation]
    readable: bool = True


class BodyReader:
    """Checks and parses the bodies of one contract; `max_bytes` bounds their size."""

    def __init__(self, contract: Contract, max_bytes: int) -> None:
        self._contract, self.max_bytes = contract, max_bytes

    def check_headers(self, operation: Operation, request: Request) -> list[Violation]:
        """Return the violations of the media type and the size."""
        found = (
            ("body-media-type", self._check_media_type(operation, request)),
            ("body-size", body_size(request, self.max_bytes)),
        )
        violations = self._violations([(rule, mismatch) for rule, mismatch in found if mismatch])
        return violations + self._check_permissions(request)

    def parse(self, operation: Operation, raw_body: bytes) -> ParsedBody:
        """Return the value of a body and its violations; an absent optional body is `{}`."""
        is_optional = not operation.body_required or self._accepts(operation, "empty-update-body")
        if not raw_body and is_optional:
            return ParsedBody({}, [])
        try:
            text = self._decode(raw_body)
            value, duplicate = _load_json(text)
        except RecursionError:
            return ParsedBody({}, self._violations([("body-depth", body_depth())]), readable=False)
        except ValueError as error:
            return ParsedBody({}, self._violations([("body-json", body_json(error))]), readable=False)
        if value is None and self._accepts(operation, "null-update-body"):
            return ParsedBody({}, [])
        return self._check_value(text, value, duplicate)

    def _accepts(self, operation: Operation, choice: str) -> bool:
        """Return whether the operation accepts the bodies that a choice is about."""
        is_concerned = operation.id in self._contract.choices[choice].operations
        return is_concerned and self._contract.chosen(choice, "accepted")

    def _decode(self, raw_body: bytes) -> str:
        """Return the text of a body; raise UnicodeDecodeError for an encoding that is not read."""
        if self._contract.chosen("other-encodings", "accepted"):
            return _decode_any(raw_body)
        return raw_body.decode("utf-8")

    def _check_media_type(self, operation: Operation, request: Request) -> Mismatch | None:
        header, chosen = request.headers.get("Content-Type"), self._contract.chosen
        if header is None and chosen("missing-media-type", "json"):
            return None
        accepted = str(self._contract.options["media-type-parameters"])
        return body_media_type(request, operation, accepted, any_json=chosen("other-json-types", "json"))

    def _check_value(self, text: str, value: Any, duplicate: str | None) -> ParsedBody:
        found: list[tuple[str, Mismatch]] = []
        if duplicate is not None:
            found.append(("body-keys", body_keys(duplicate)))
        # As many brackets as levels are needed, and only escapes can make NUL or half a surrogate pair.
        if text.count("[") + text.count("{") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
            found.append(("body-depth", body_depth()))
            value = _cut_below(value, _MAX_VALIDATED_DEPTH)
        if "\\u" not in text:
            return ParsedBody(value, self._violations(found))
        wrong = _BAD_TEXT if self._contract.chosen("nul-characters", "refused") else _SURROGATE
        bad = [(pointer, item) for pointer, item in iter_strings(value) if wrong.search(item)]
        found += [("body-text", body_text(pointer, item)) for pointer, item in bad[:1]]
        if any(_SURROGATE.search(item) for _, item in bad):
            return ParsedBody({}, self._as_unreadable(self._violations(found)), readable=False)
        return ParsedBody(value, self._violations(found))

    def _as_unreadable(self, violations: list[Violation]) -> list[Violation]:
        """Return the violations of a text that is none, with the status of a malformed body if that is chosen."""
        if not self._contract.chosen("half-surrogates", "malformed"):
            return violations
        (status, *_) = self._contract.rule("body-json").status
        return [Violation(each.rule.with_status(status), each.mismatch) for each in violations]

    def _check_permissions(self, request: Request) -> list[Violation]:
        """Return the violations of disabled permissions."""
        return [
            Violation(self._contract.rule(rule), mismatch)
            for rule, check in BODY_PERMISSIONS
            if not self._contract.rule_enabled(rule) and (mismatch := check(request))
        ]

    def _violations(self, found: list[tuple[str, Mismatch]]) -> list[Violation]:
        contract = self._contract
        return [
            Violation(contract.rule(rule), mismatch)
            for rule, mismatch in found
            if contract.rule_enabled(rule)
        ]


def body_media_type(
    request: Request,
    operation: Operation,
    accepted: str = "not-another-charset",
    *,
    any_json: bool = False,
) -> Mismatch | None:
    """Refuse a body that is not declared as a media type of the contract, with parameters that are accepted.

    `accepted` is an option of the choice `media-type-parameters`; `any_json` accepts other types of JSON.
    """
    header = request.headers.get("Content-Type")
    if header is None and not request.raw_body and not operation.body_required:
        return None
    media_type, parameters, charset = _parse_media_type(header or "")
    is_accepted = media_type in operation.media_types or (any_json and media_type.endswith("+json"))
    if is_accepted and _PARAMETERS[accepted](parameters, charset):
        return None
    expected = " or ".join(operation.media_types)
    if is_accepted:
        expected += _EXPECTED_PARAMETERS[accepted]
    return Mismatch("header", "/Content-Type", header[:80] if header else "no such header", expected)


@functools.lru_cache(100)
def _parse_media_type(header: str) -> tuple[str, str, str]:
    """Return the media type, the parameters and the charset of a `Content-Type`; the default charset is UTF-8."""
    match = _MEDIA_TYPE.fullmatch(header)
    charset = _CHARSET.search(match[2]) if match else None
    if match is None:
        return "", "", "utf-8"
    return match[1].lower(), match[2].strip("; \t"), charset[1].lower() if charset else "utf-8"


#: By option: whether these parameters are accepted, and what is expected.
_PARAMETERS: dict[str, Callable[[str, str], bool]] = {
    "not-another-charset": lambda _parameters, charset: charset == "utf-8",
    "utf-8": lambda parameters, _charset: not parameters or _UTF8.fullmatch(parameters) is not None,
    "none": lambda parameters, _charset: not parameters,
    "any": lambda _parameters, _charset: True,
}
_EXPECTED_PARAMETERS = {
    "not-another-charset": " in UTF-8, no other charset",
    "utf-8": " with no parameter but charset=utf-8",
    "none": " without parameters",
    "any": "",
}


def request_forms(request: Request) -> Mismatch | None:
    """Describe a list in `Accept`, a form of the same request; refused only while this permission is disabled."""
    accept = request.headers.get("Accept", "")
    return Mismatch("header", "/Accept", accept[:80], "one media type") if "," in accept else None


BODY_PERMISSIONS = (("request-forms", request_forms),)


def body_size(request: Request, max_bytes: int) -> Mismatch | None:
    """Refuse a body that is larger than the server reads."""
    if request.body_size <= max_bytes:
        return None
    return Mismatch("body", "", f"more than {max_bytes} bytes", f"at most {max_bytes} bytes")


def body_json(error: ValueError) -> Mismatch:
    """Describe a body that is not well-formed JSON in UTF-8."""
    expected = "one JSON object"
    if isinstance(error, UnicodeDecodeError):
        return Mismatch("body", "", f"invalid UTF-8 at byte {error.start}", expected)
    if not isinstance(error, json.JSONDecodeError):
        return Mismatch("body", "", "a number of thousands of digits", expected)
    if not error.doc:
        return Mismatch("body", "", "an empty body", f"{expected} ({{}} where there is nothing to say)")
    problem = f"no JSON: {error.msg} at line {error.lineno}, column {error.colno}"
    return Mismatch("body", "", problem, expected)


def body_keys(key: str) -> Mismatch:
    """Describe an object with the same key twice."""
    return Mismatch("body", "", f"the key {json.dumps(key[:40])} twice", "each key once")


def body_depth() -> Mismatch:
    """Describe a body that is nested deeper than the server reads."""
    return Mismatch("body", "", f"more than {MAX_DEPTH} levels of nesting", f"at most {MAX_DEPTH} levels")


def body_text(pointer: str, text: str) -> Mismatch:
    """Describe a string with NUL or half a surrogate pair."""
    actual = "a NUL character" if "\x00" in text else "half a surrogate pair"
    return Mismatch("body", pointer, actual, "text without it")


BODY_CHECKS: tuple[tuple[str, Callable[..., Mismatch | None]], ...] = (
    ("body-media-type", body_media_type),
    ("body-size", body_size),
    ("body-json", body_json),
    ("body-keys", body_keys),
    ("body-depth", body_depth),
    ("body-text", body_text),
)


class _DuplicateKeyError(Exception):
    """An object has a key twice."""


def _decode_any(raw_body: bytes) -> str:
    """Return the text of a body in an encoding of Unicode, with or without a byte order mark, or in Latin-1."""
    try:
        return raw_body.decode(json.detect_encoding(raw_body))
    except UnicodeDecodeError:
        return raw_body.decode("latin-1")


def _load_json(text: str) -> tuple[Any, str | None]:
    """Return the value of a JSON text, and the first key that an object has twice."""
    try:
        return json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant), None
    except _DuplicateKeyError as error:
        return json.loads(text, parse_constant=_refuse_constant), str(error)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) == len(pairs):
        return result
    counts = Counter(name for name, _ in pairs)
    raise _DuplicateKeyError(next(name for name in counts if counts[name] > 1))


def _refuse_constant(constant: str) -> NoReturn:
    raise json.JSONDecodeError(f"{constant}, which is not JSON,", constant, 0)


def _is_deeper(value: Any, limit: int) -> bool:
    """Return whether lists and objects are nested in more levels than the limit."""
    level = [value]
    for _ in range(limit + 1):
        level = [node for node in level if isinstance(node, dict | list)]
        if not level:
            return False
        level = [item for node in level for item in (node.values() if isinstance(node, dict) else node)]
    return True


def _cut_below(value: Any, levels: int) -> Any:
    """Return a copy of a value in which lists and objects are empty below some levels."""
    if isinstance(value, list):
        return [_cut_below(item, levels - 1) for item in value] if levels else []
    if isinstance(value, dict):
        return {key: _cut_below(item, levels - 1) for key, item in value.items()} if levels else {}
    return value


def iter_strings(value: Any, pointer: str = "") -> Iterator[tuple[str, str]]:
    """Yield each string and key with the JSON Pointer of its place."""
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from iter_strings(item, f"{pointer}/{number}")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield pointer, key
            yield from iter_strings(item, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")
