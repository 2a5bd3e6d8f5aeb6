"""What came over the wire, parsed once: a malformed body is a value, not an exception."""

import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from mock_server.contract.loader import Contract, Fault, Operation, Violation
from mock_server.web.responses import encoded

DEPTH = 100
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]', re.DOTALL)
#: Braces as brackets, and every byte that is neither these nor a quote.
_ALIKE = bytes.maketrans(b"{}", b"[]")
_OTHERS = bytes(set(range(256)) - set(b'[]{}"'))
_BAD_TEXT = re.compile("[\x00\ud800-\udfff]")
_MEDIA_TYPE = re.compile(r"\s*([^;\s]+)\s*((?:;.*)?)", re.DOTALL)
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^";\s]*)"?\s*(?=;|\Z)', re.IGNORECASE)


class Call(NamedTuple):
    """One request; headers are named in title case. `raw` has the limit of the body, `size` is that of the whole."""

    headers: Mapping[str, str]
    raw: bytes
    size: int
    values: Mapping[str, str]


class _Refused(Exception):  # noqa: N818  # a verdict on its way out of the parser
    def __init__(self, rule: str, fault: Fault) -> None:
        super().__init__(rule)
        self.rule, self.fault = rule, fault


class BodyReader:
    """Reads the body of a call: media type, size, text, depth, JSON, each by the rule of its name."""

    def __init__(self, contract: Contract, max_body: int) -> None:
        self._contract = contract
        self._off = contract.off
        self._max = max_body
        self._decoder = json.JSONDecoder(parse_constant=_not_json)
        self._each_key = json.JSONDecoder(object_pairs_hook=dict if "body-keys" in self._off else body_keys)

    def declared(self, operation: Operation, call: Call) -> list[Violation]:
        """The violations of what the headers say about the body."""
        faults = []
        if "body-media-type" not in self._off:
            faults.append(("body-media-type", body_media_type(call, operation)))
        if "body-size" not in self._off:
            faults.append(("body-size", body_size(call, self._max)))
        return [Violation(self._contract.rule(rule), fault) for rule, fault in faults if fault]

    def parsed(self, operation: Operation, raw: bytes) -> tuple[Any, list[Violation]]:
        """The value of the body, and the violations of its text; an absent optional body is `{}`."""
        if not raw and not operation.body_required:
            return {}, []
        try:
            return self._value(raw), []
        except _Refused as refused:
            return None, [Violation(self._contract.rule(refused.rule), refused.fault)]

    def _value(self, raw: bytes) -> Any:
        try:
            return self._whole(raw)
        except _Refused as refused:
            if refused.rule != "body-json" or "body-json" not in self._off:
                raise
        return body_text(_first(raw, self._each_key), "body-text" not in self._off)

    def _whole(self, raw: bytes) -> Any:
        text = body_json(_text, raw)
        if text.count("[") + text.count("{") > DEPTH:
            text = body_depth(text, "body-depth" not in self._off)
        value = body_json(self._decoder.decode, text)
        escapes = "\\" in text and "\\u" in text  # one character is found ten times as fast
        if "body-keys" not in self._off and (escapes or _lossy(text, value)):
            value = self._each_key.decode(text)
        if escapes:
            value = body_text(value, "body-text" not in self._off)
        return value


def body_media_type(call: Call, operation: Operation) -> Fault | None:
    """The body is declared as a media type of the contract, in UTF-8."""
    given = call.headers.get("Content-Type")
    if given is None and not call.raw and not operation.body_required:
        return None
    media_type, charset = _media_type(given or "")
    if media_type in operation.media_types and charset == "utf-8":
        return None
    wanted = " or ".join(operation.media_types)
    if media_type in operation.media_types:
        wanted += " in UTF-8, no other charset"
    return Fault("header", "/Content-Type", given[:80] if given else "no such header", wanted)


@functools.lru_cache(100)
def _media_type(given: str) -> tuple[str, str]:
    """The media type and the charset of a Content-Type, in lower case; without a charset it is UTF-8."""
    match = _MEDIA_TYPE.fullmatch(given)
    charset = _CHARSET.search(match[2]) if match else None
    return match[1].lower() if match else "", charset[1].lower() if charset else "utf-8"


def body_size(call: Call, limit: int) -> Fault | None:
    """The body is no larger than the server reads."""
    if call.size <= limit:
        return None
    return Fault("body", "", f"more than {limit} bytes", f"at most {limit} bytes")


def body_json(read: Callable[[Any], Any], source: object) -> Any:
    """The body is well-formed JSON in UTF-8: `read` says what is wrong with `source`."""
    wanted = "one JSON object"
    try:
        return read(source)
    except UnicodeDecodeError as error:
        seen = f"no UTF-8 at byte {error.start}"
    except json.JSONDecodeError as error:
        seen = f"{error.msg} at line {error.lineno}, column {error.colno}" if error.doc else "an empty body"
        wanted += " ({} where there is nothing to say)" if not error.doc else ""
    except RecursionError:
        raise _Refused("body-depth", _too_deep()) from None
    except ValueError:
        seen = "a number of thousands of digits"
    raise _Refused("body-json", Fault("body", "", seen, wanted))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8")


def _not_json(constant: str) -> None:
    raise json.JSONDecodeError(f"{constant}, which is not JSON,", constant, 0)


def body_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """No object has the same key twice."""
    result = dict(pairs)
    if len(result) == len(pairs):
        return result
    names = [name for name, _ in pairs]
    twice = next(name for name in names if names.count(name) > 1)
    raise _Refused("body-keys", Fault("body", "", f"the key {json.dumps(twice[:40])} twice", "each key once"))


def _lossy(text: str, value: Any) -> bool:
    """Whether a key of the text, which escapes no colon, is there twice: with the first one a colon is gone.

    To look at the keys of each object while parsing takes as long as all the rest of it.
    """
    return text.count(":") != encoded(value).count(b":")


def body_depth(text: str, holds: bool) -> str:
    """The body is nested no deeper than the server reads; without the rule, what is deeper is null."""
    if _shallow(text):
        return text
    depth, kept, start = 0, [], 0
    for match in _BRACKETS.finditer(text):
        if match[0] in {"[", "{"}:
            depth += 1
            if depth == DEPTH + 1:
                if holds:
                    raise _Refused("body-depth", _too_deep())
                kept.append(text[start : match.start()] + "null")
        elif match[0] in {"]", "}"}:
            if depth == DEPTH + 1:
                start = match.end()
            depth -= 1
    return "".join((*kept, text[start:])) if depth <= DEPTH else "".join(kept)


def _shallow(text: str) -> bool:
    """Whether the brackets outside of strings, the innermost pairs taken away level by level, come to nothing."""
    if "\\" in text:
        text = text.replace("\\\\", "").replace('\\"', "")
    marks = text.encode().translate(_ALIKE, _OTHERS)
    brackets = marks.replace(b'""', b"")
    if b'"' in brackets:  # there are brackets in strings
        pieces = marks.split(b'"')
        brackets = b"".join(pieces[::2]) if len(pieces) % 2 else marks
    for _ in range(DEPTH):
        if not brackets:
            break
        brackets = brackets.replace(b"[]", b"")
    return not brackets


def _too_deep() -> Fault:
    return Fault("body", "", f"more than {DEPTH} levels of nesting", f"at most {DEPTH} levels")


def body_text(value: Any, holds: bool) -> Any:
    """No string holds NUL or half a surrogate pair; without the rule, half a pair is read as U+FFFD."""
    for pointer, text in _strings(value, ""):
        if _BAD_TEXT.search(text):
            if not holds:
                return _readable(value)
            seen = "a NUL character" if "\x00" in text else "half a surrogate pair"
            raise _Refused("body-text", Fault("body", pointer, seen, "text without it"))
    return value


def _strings(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _strings(item, f"{pointer}/{number}")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield pointer, key
            yield from _strings(item, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")


#: Each is a function of the rule's name.
CHECKS: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("body-media-type", body_media_type),
    ("body-size", body_size),
    ("body-json", body_json),
    ("body-depth", body_depth),
    ("body-keys", body_keys),
    ("body-text", body_text),
)


def _readable(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, list):
        return [_readable(item) for item in value]
    if isinstance(value, dict):
        return {_readable(key): _readable(item) for key, item in value.items()}
    return value


def _first(raw: bytes, decoder: json.JSONDecoder) -> Any:
    """What a server makes of a malformed body that it does not refuse: its first value, or `{}`."""
    try:
        return decoder.raw_decode(raw.decode("utf-8", "replace").lstrip("\ufeff \t\r\n"))[0]
    except (ValueError, RecursionError):
        return {}
