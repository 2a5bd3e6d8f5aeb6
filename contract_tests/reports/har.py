"""HTTP Archive (HAR 1.2) with all traffic of a run.

Names that start with an underscore are our own fields, as HAR allows: the kind of the caller, because its token is
replaced, and the encoding of a request body that is not text.
"""

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from harfile import Content, Creator, HarFile, PostData, Record, Request, Response, Timings

from contract_tests.contract.files.file_shapes import read_json_file
from contract_tests.contract.files.report_file import replace_file, write_file
from contract_tests.contract.resources import VERSION
from contract_tests.reports.content.common import reason_phrase
from contract_tests.results.verdict import Report
from contract_tests.targets.exchange import Exchange

_HTTP = "HTTP/1.1"


@dataclass(slots=True)
class _OwnRequest(Request):
    """A request with the kind of its caller, and with the encoding of its body."""

    caller_kind: str = ""
    encoding: str = ""

    def asdict(self) -> dict[str, Any]:
        """Return the request as plain JSON values."""
        data: dict[str, Any] = Request.asdict(self)
        if self.encoding:
            data["postData"]["_encoding"] = self.encoding
        return {**data, "_callerKind": self.caller_kind} if self.caller_kind else data


def write_har(report: Report, path: Path) -> None:
    """Write every exchange of the run, in the order in which they ended."""
    creator = Creator("cyberun-contract-kit", VERSION)
    with (
        replace_file(path) as raw,
        TextIOWrapper(raw, "utf-8") as file,
        HarFile(file, creator=creator, comment=report.target) as archive,
    ):
        for exchange in report.traffic:
            _add_exchange(archive, exchange)


def merge_har(paths: Iterable[Path], path: Path) -> None:
    """Merge the entries of all archives that exist into one; raise ValueError for an unreadable one."""
    entries: list[Any] = []
    whole: dict[str, Any] = {}
    for each in paths:
        if each.is_file():
            whole = read_json_file(each, "recording")  # its shape, which takes long to check, is our own
            try:
                entries += whole["log"]["entries"]
            except (KeyError, TypeError):
                raise ValueError(f"{each} is not a HAR file that this kit wrote") from None
    entries.sort(key=lambda entry: str(entry.get("startedDateTime")))
    if whole:
        write_file(path, json.dumps({"log": {**whole["log"], "entries": entries}}))


def _add_exchange(archive: HarFile, exchange: Exchange) -> None:
    milliseconds = round(exchange.seconds * 1000, 3)
    archive.add_entry(
        startedDateTime=exchange.started,
        time=milliseconds,
        request=_build_request(exchange),
        response=_build_response(exchange),
        timings=Timings(send=0, wait=milliseconds, receive=0),
        comment=f"caller: {exchange.caller}",
    )


def _build_request(exchange: Exchange) -> Request:
    query = parse_qsl(urlsplit(exchange.url).query, keep_blank_values=True)
    request = _OwnRequest(
        method=exchange.method,
        url=exchange.url,
        httpVersion=_HTTP,
        headers=_to_records(exchange.headers),
        queryString=_to_records(query),
        bodySize=0,
        caller_kind=exchange.caller_kind,
    )
    if exchange.body is not None:
        text, whole = exchange.body, exchange.body_bytes
        if exchange.raw_body and whole is not None and not exchange.body_cut:
            text, request.encoding = base64.b64encode(whole).decode(), "base64"
        request.postData = PostData(_find_header(exchange.headers, "content-type"), text=text)
        request.bodySize = -1 if whole is None else len(whole)
    return request


def _build_response(exchange: Exchange) -> Response:
    """Return the response; without one the status is 0 and the comment has the reason, as in browsers."""
    headers, body = exchange.response_headers, exchange.response_body
    return Response(
        status=exchange.status,
        statusText=reason_phrase(exchange.status),
        httpVersion=_HTTP,
        headers=_to_records(headers),
        content=Content(
            size=exchange.response_size, mimeType=_find_header(headers, "content-type"), text=body
        ),
        redirectURL=_find_header(headers, "location"),
        bodySize=_read_length(_find_header(headers, "content-length")),
        comment=exchange.reason or None,
    )


def _read_length(text: str) -> int:
    """Return a Content-Length; -1, which is HAR's unknown size, if it is no number that a body can have."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else -1


def _to_records(pairs: Iterable[tuple[str, str]]) -> list[Record]:
    return [Record(name, value) for name, value in pairs]


def _find_header(headers: Iterable[tuple[str, str]], wanted: str) -> str:
    return next((value for name, value in headers if name.lower() == wanted), "")
