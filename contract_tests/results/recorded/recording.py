"""Recorded traffic: the calls of the two operations in a HAR file, and which parts of them it has."""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from contract_tests.cases.model import OperationId
from contract_tests.contract.files.file_shapes import load_json_file
from contract_tests.contract.spec import Operation, Spec
from contract_tests.generation.schema_view import list_write_operations
from contract_tests.targets.base import Request, Response
from contract_tests.targets.exchange import MAX_BODY_BYTES, read_caller_kind

RECORDED = "recorded"  # name of the callers in recordings of other programs
_CREATOR = "cyberun-contract-kit"
#: The longest UTF-8 character may have been cut, and replaced, at the end of a cut body.
_CUT_BODY_BYTES = MAX_BODY_BYTES - 4
#: Larger numbers are no measurements.
_MAX_SIZE, _MAX_MILLISECONDS = 2**53, 1000 * 86400 * 365

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Recording:
    """The entries of a HAR file; ``own`` is true if this kit wrote it."""

    entries: Sequence[Entry]
    own: bool = False


def load_recording(path: Path) -> Recording:
    """Return the recording in a HAR file; raise ValueError if the file is unusable."""
    document = load_json_file(path, "recording")
    log = document["log"]
    return Recording(log["entries"], log.get("creator", {}).get("name") == _CREATOR)


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call of an operation; ``own`` is true if this kit sent it in a run.

    ``service`` is the id in its path, None for a create. ``whole_request`` and ``whole_response`` are false if the
    recording has cut or left out the body. The status is 0 if the recording has no response.
    """

    number: int
    operation: OperationId
    service: str | None
    request: Request
    response: Response
    caller: str
    caller_kind: str
    own: bool
    started: str
    whole_request: bool
    whole_response: bool


def read_calls(recording: Recording, spec: Spec) -> Iterator[RecordedCall]:
    """Yield every call of the two operations, in the order of the recording."""
    for number, entry in enumerate(recording.entries, 1):
        match = _match_operation(entry, spec)
        if match is None:
            continue
        operation, service = match
        request, response = _read_request(entry), _read_response(entry)
        caller, kind = _read_caller(entry)
        yield RecordedCall(
            number=number,
            operation=operation.id,  # type: ignore[arg-type]
            service=service,
            request=request,
            response=response,
            caller=caller or RECORDED,
            caller_kind=kind or read_caller_kind(request.headers),
            own=recording.own and caller not in ("", RECORDED),
            started=str(entry.get("startedDateTime") or ""),
            whole_request=_has_whole_request(entry, request.body),
            whole_response=_has_whole_response(entry, response.body),
        )


def _match_operation(entry: Mapping[str, Any], spec: Spec) -> tuple[Operation, str | None] | None:
    try:
        path = urlsplit(str(entry["request"].get("url", ""))).path
    except ValueError:  # an address without its bracket is no URL of this API
        return None
    for operation in list_write_operations(spec):
        head, parameter, _ = operation.path.partition("{")
        pattern = re.escape(head) + ("([^/]+)" if parameter else "") + "$"
        found = re.search(pattern, path)
        if found and entry["request"].get("method", "").upper() == operation.method:
            return operation, unquote(found[1]) if parameter else None
    return None


def _read_request(entry: Entry) -> Request:
    """Return the request of an entry; ``path`` is the whole URL."""
    request = entry["request"]
    data = _mapping(request.get("postData"))
    text = data.get("text")
    body = None if text is None else decode_text(str(text), data.get("_encoding") or data.get("encoding"))
    return Request(str(request.get("method", "")), str(request.get("url", "")), read_headers(request), body)


def _read_response(entry: Entry) -> Response:
    """Return the response of an entry; its status is 0 if the recording has none."""
    response = _mapping(entry.get("response"))
    content = _mapping(response.get("content"))
    seconds = _read_seconds(entry.get("time"))
    body = decode_text(str(content.get("text") or ""), content.get("encoding"))
    return Response(_read_status(response.get("status")), read_headers(response), body, seconds)


def read_headers(message: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the headers of a recorded request or response."""
    return tuple((str(h.get("name", "")), str(h.get("value", ""))) for h in message.get("headers") or ())


def _read_caller(entry: Entry) -> tuple[str, str]:
    """Return the name and the kind of the caller, as this kit records them; both are empty in other recordings."""
    comment = str(entry.get("comment") or "")
    name = comment.removeprefix("caller: ") if comment.startswith("caller: ") else ""
    return name, str(entry["request"].get("_callerKind") or "")


def _has_whole_request(entry: Entry, body: bytes | None) -> bool:
    """Return whether the recording has the whole body of a request: its size, if known, is not larger.

    Recorders write a size of 0, or an empty text, also for a body that they left out; then its header tells more.
    """
    size = _read_size(entry["request"].get("bodySize"))
    if not size:
        declared = _read_size(_find_header(entry["request"], "content-length"))
        size = size if declared is None else declared
    if size is not None:
        return len(body or b"") >= size
    return bool(body) and len(body or b"") < _CUT_BODY_BYTES


def _has_whole_response(entry: Entry, body: bytes) -> bool:
    """Return whether the recording has the whole body of a response: its size, if known, is not larger.

    An empty text may stand for a body that was left out: it is whole if its size is 0, and no header differs.
    """
    response = _mapping(entry.get("response"))
    size = _read_size(_mapping(response.get("content")).get("size"))
    if not body:
        return size == 0 and not _read_size(_find_header(response, "content-length"))
    return len(body) >= (size or 0)


def _find_header(message: Mapping[str, Any], wanted: str) -> str | None:
    return next((value for name, value in read_headers(message) if name.lower() == wanted), None)


def _read_size(value: Any) -> int | None:
    """Return a size in bytes, or None if it is not recorded (-1 in HAR), or absurd."""
    try:
        size = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return size if 0 <= size <= _MAX_SIZE else None


def _read_seconds(milliseconds: Any) -> float:
    """Return a time in seconds; 0 if it is not recorded (-1 in HAR), or absurd."""
    known = isinstance(milliseconds, int | float) and 0 <= milliseconds <= _MAX_MILLISECONDS
    return float(milliseconds) / 1000 if known else 0.0


def _read_status(value: Any) -> int:
    """Return a status; 0, as for no response, if it is not one of HTTP."""
    return int(value) if isinstance(value, int | float) and 100 <= value <= 999 else 0


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def decode_text(text: str, encoding: Any) -> bytes:
    """Return the bytes of a recorded body; a text that is not base64, though it should be, is read as it is."""
    try:
        return base64.b64decode(text) if encoding == "base64" else text.encode("utf-8", "surrogatepass")
    except ValueError:
        return text.encode("utf-8", "replace")
