"""The asynchronous front: an ASGI app that hands whole requests on to a WSGI app.

The event loop reads each request, with a deadline for its body, so that an unfinished one holds no worker. ASGI
keeps what granian's WSGI loses: the raw path, each header field, and whether the body came whole.
"""

import asyncio
import functools
import io
import logging
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

from mock_server.web.middleware import MAX_DRAIN_BYTES
from mock_server.web.responses import Response, problem_response
from mock_server.web.truncated_body import FLUSH_SECONDS, TruncatedBody
from mock_server.web.wsgi import (
    AWAITS_DELAY,
    BODY_SIZE,
    DELAY_SECONDS,
    FRONT_PROBLEM,
    HEADER_FIELDS,
    Environ,
    WsgiApp,
)

#: A body has to arrive within this time.
BODY_TIMEOUT_SECONDS = 30.0
#: A larger body is kept in a temporary file.
_MAX_MEMORY_BYTES = 1024 * 1024
#: A longer response is sent in parts of this size, each of which the client has to read in time.
_PART_BYTES = 256 * 1024
_CLOSE = {"Connection": "close"}
#: Fields that a request has once at most, even with equal values (RFC 9110, 5.3).
_SINGLE_FIELDS = ("Host", "Content-Type", "Authorization", "X-Team-ID")

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
HeaderFields = list[tuple[str, str]]


class Front:
    """An ASGI app around a WSGI app.

    A body has to arrive within `body_timeout` seconds, and the client has to read each part of a long response within
    as many; else the connection is closed. Of a longer body than `max_bytes` only the beginning is handed on; None
    keeps all of it. With `threads`, an app that blocks is called in one of them, and may stream; a request that finds
    none free within `queue_timeout` seconds gets a 503. Else the app is called on the event loop.
    """

    def __init__(
        self,
        app: WsgiApp,
        *,
        body_timeout: float,
        max_bytes: int | None = None,
        threads: int = 0,
        queue_timeout: float | None = None,
    ) -> None:
        self._app, self._body_timeout, self._max_bytes = app, body_timeout, max_bytes
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="front") if threads else None
        self._free_threads, self._queue_timeout = asyncio.Semaphore(threads), queue_timeout

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request; an exception makes the server close the connection."""
        with self._open_body() as body:
            environ = build_environ(scope, body)
            environ[BODY_SIZE], problem = await self._read_body(environ, receive, body)
            problem = problem or _check_fields(environ)
            if problem is not None:
                environ[FRONT_PROBLEM] = problem
            sender = _Sender(receive, send, self._body_timeout, on_loop=self._pool is None)
            try:
                await self._call_app(environ, sender)
                if environ.get(DELAY_SECONDS):
                    await asyncio.sleep(environ[DELAY_SECONDS])
                await sender.send_whole()
            finally:
                sender.close()

    def _open_body(self) -> IO[bytes]:
        return tempfile.SpooledTemporaryFile(_MAX_MEMORY_BYTES) if self._max_bytes is None else io.BytesIO()

    async def _read_body(
        self, environ: Environ, receive: Receive, body: IO[bytes]
    ) -> tuple[int, Response | None]:
        """Read the body, and return its size and the refusal of a body that did not arrive whole."""
        size, length = 0, environ.get("CONTENT_LENGTH", "")
        if length in {"", "0"} and "HTTP_TRANSFER_ENCODING" not in environ:
            return 0, None  # without a body there is no deadline
        try:
            async with asyncio.timeout(self._body_timeout):
                while size <= MAX_DRAIN_BYTES or self._max_bytes is None:
                    message = await receive()
                    if message["type"] != "http.request":
                        return size, problem_response(
                            400, "the body broke off, or is framed wrongly", (), _CLOSE
                        )
                    part = message.get("body", b"")
                    kept = part if self._max_bytes is None else part[: max(0, self._max_bytes - size)]
                    body.write(kept)
                    size += len(part)
                    if not message.get("more_body", False) or str(size) == length:
                        break
        except TimeoutError:
            detail = f"the body did not arrive within {self._body_timeout:g} seconds"
            return size, problem_response(408, detail, (), _CLOSE)
        body.seek(0)
        return size, None

    async def _call_app(self, environ: Environ, sender: "_Sender") -> None:
        if self._pool is None:
            return self._run(environ, sender)
        try:
            async with asyncio.timeout(self._queue_timeout):
                await self._free_threads.acquire()
        except TimeoutError:
            detail = (
                f"all threads were busy for {self._queue_timeout:g} seconds, and nothing is stored; try again"
            )
            environ[FRONT_PROBLEM] = problem_response(503, detail)
            return self._run(environ, sender)  # refuses the request, and does not block
        try:
            await asyncio.get_running_loop().run_in_executor(self._pool, self._run, environ, sender)
        finally:
            self._free_threads.release()

    def _run(self, environ: Environ, sender: "_Sender") -> None:
        parts = self._app(environ, sender.start)
        try:
            sender.take(parts)
        finally:
            getattr(parts, "close", lambda: None)()


class _Sender:
    """Sends the response of a WSGI app: whole if it is a list or made on the loop, else in parts from a thread."""

    def __init__(self, receive: Receive, send: Send, timeout: float, *, on_loop: bool) -> None:
        self._timeout, self._on_loop = timeout, on_loop
        self._loop = asyncio.get_running_loop()
        self._receive, self._send = receive, send
        self._head: Message = {}
        self._whole: list[bytes] | TruncatedBody | None = None
        self._disconnect: asyncio.Future[None] | None = None

    def start(self, status: str, headers: HeaderFields, _exc_info: Any = None) -> None:
        """Take the status and the headers, as `start_response` does."""
        encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self._head = {"type": "http.response.start", "status": int(status[:3]), "headers": encoded}

    def take(self, parts: Iterable[bytes]) -> None:
        """Keep a whole body for `send_whole`, or send the parts of a stream as they come."""
        if self._on_loop and not isinstance(parts, TruncatedBody):
            parts = list(parts)
        if isinstance(parts, list | TruncatedBody):
            self._whole = parts
            return
        run_in_loop(self._loop, self._begin_stream())
        for part in parts:
            run_in_loop(self._loop, self._send_part(part))
        run_in_loop(self._loop, self._send_body(b"", more=False))

    async def send_whole(self) -> None:
        """Send a response that is not a stream."""
        if isinstance(self._whole, list):
            await self._send(self._head)
            body, sent = b"".join(self._whole), 0
            while len(body) - sent > _PART_BYTES:
                await self._send_in_time(body[sent : sent + _PART_BYTES])
                sent += _PART_BYTES
            await self._send_body(body[sent:], more=False)
        elif self._whole is not None:
            await self._send_truncated(self._whole)

    async def _send_truncated(self, truncated: TruncatedBody) -> None:
        await self._send(self._head)
        if truncated.sent_bytes < 0:  # granian closes without a byte on a head with two framings
            return await self._send_body(truncated.body, more=False)
        await self._send_body(truncated.body[: truncated.sent_bytes], more=True)
        await asyncio.sleep(FLUSH_SECONDS)
        raise ConnectionResetError("the connection is closed on demand")

    async def _begin_stream(self) -> None:
        self._disconnect = asyncio.ensure_future(self._wait_for_disconnect())
        await self._send(self._head)
        await self._send_body(b"", more=True)

    async def _wait_for_disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _send_part(self, part: bytes) -> None:
        if self._disconnect is not None and self._disconnect.done():  # granian would drop the part silently
            raise ConnectionResetError("the client closed the connection")
        await self._send_in_time(part)

    async def _send_in_time(self, part: bytes) -> None:
        """Send a part of several, and give up if the client does not read on."""
        try:
            async with asyncio.timeout(self._timeout):
                await self._send_body(part, more=True)
        except TimeoutError:
            reason = f"a client read nothing of its response for {self._timeout:g} seconds"
            logging.getLogger(__name__).warning("%s; its connection is closed", reason)
            raise ConnectionResetError(reason) from None

    async def _send_body(self, part: bytes, *, more: bool) -> None:
        await self._send({"type": "http.response.body", "body": part, "more_body": more})

    def close(self) -> None:
        """Stop waiting for the client to close the connection."""
        if self._disconnect is not None:
            self._disconnect.cancel()


def run_in_loop(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Return the result of a coroutine that the loop runs while the calling thread waits."""
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result()


def build_environ(scope: Message, body: IO[bytes]) -> Environ:
    """Return the WSGI environ of a request, with the raw path and query as `RAW_URI`."""
    host, port = scope.get("server") or ("localhost", 0)
    path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    return {
        **_header_variables(fields),
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": f"{path}?{query}" if query else path,
        "SERVER_NAME": str(host),
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        HEADER_FIELDS: fields,
        AWAITS_DELAY: True,
    }


def _check_fields(environ: Environ) -> Response | None:
    """Return the refusal of a request that two servers may read in two ways."""
    if environ["SERVER_PROTOCOL"] == "HTTP/1.1" and not environ.get("HTTP_HOST"):  # granian adds an empty one
        return problem_response(400, "Host: got none, expected the host of the request", (), _CLOSE)
    if environ.get("HTTP_TRANSFER_ENCODING", "chunked").lower() != "chunked":
        return problem_response(400, "Transfer-Encoding: got another value, expected chunked", (), _CLOSE)
    counts = Counter(name.lower() for name, _ in environ[HEADER_FIELDS])
    for name in _SINGLE_FIELDS:
        if (count := counts[name.lower()]) > 1:
            return problem_response(400, f"{name}: got {count} fields, expected one", (), _CLOSE)
    return None


def _header_variables(fields: HeaderFields) -> Environ:
    """Return the header fields under their WSGI names.

    A name with an underscore is left out: it would pass for the name with a hyphen.
    """
    variables: Environ = {}
    for name, value in fields:
        key = _variable_name(name)
        separator = "; " if key == "HTTP_COOKIE" else ","
        variables[key] = f"{variables[key]}{separator}{value}" if key in variables else value
    variables.pop("", None)
    return variables


@functools.lru_cache(1000)
def _variable_name(field_name: str) -> str:
    """Return the WSGI name of a header field, empty for a name with an underscore."""
    key = "" if "_" in field_name else field_name.upper().replace("-", "_")
    return key if key in {"", "CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
