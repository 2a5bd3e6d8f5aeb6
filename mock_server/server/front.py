"""The asynchronous front: an ASGI app that hands whole requests on to a WSGI app.

The event loop reads each request, with a deadline for its body, so that an unfinished one holds no worker. ASGI
keeps what granian's WSGI loses: the raw path, each header field, and whether the body came whole.
"""

import asyncio
import io
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import IO

from mock_server.server.environ import CLOSE, build_environ, check_fields
from mock_server.server.response_sender import Message, Receive, ResponseSender, Send
from mock_server.web.middleware import MAX_DRAIN_BYTES
from mock_server.web.responses import Response, problem_response
from mock_server.web.wsgi import BODY_SIZE, DELAY_SECONDS, FRONT_PROBLEM, Environ, WsgiApp

#: A body has to arrive within this time.
BODY_TIMEOUT_SECONDS = 30.0
#: A larger body is kept in a temporary file.
_MAX_MEMORY_BYTES = 1024 * 1024


class Front:
    """An ASGI app around a WSGI app.

    A body has to arrive within `body_timeout` seconds, and the client has to read each part of a long response within
    as many; else the connection is closed. Of a longer body than `max_bytes` only the beginning is handed on; None
    keeps all of it in a file, and refuses one over `max_file_bytes`. Without `threads`, and for a `quick` path,
    the app is called on the event loop. Else it is called in a thread, and may stream; a request that finds none free
    within `queue_timeout` seconds gets a 503.
    """

    def __init__(
        self,
        app: WsgiApp,
        *,
        body_timeout: float,
        max_bytes: int | None = None,
        max_file_bytes: int = MAX_DRAIN_BYTES,
        threads: int = 0,
        queue_timeout: float | None = None,
        quick: Callable[[str], bool] = lambda _path: False,
    ) -> None:
        self._app, self._body_timeout, self._max_bytes = app, body_timeout, max_bytes
        self._max_read = max_file_bytes if max_bytes is None else MAX_DRAIN_BYTES
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="front") if threads else None
        self._quick = quick
        self._free_threads, self._queue_timeout = asyncio.Semaphore(threads), queue_timeout

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request; an exception makes the server close the connection."""
        with self._open_body() as body:
            environ = build_environ(scope, body)
            environ[BODY_SIZE], problem = await self._read_body(environ, receive, body)
            problem = problem or check_fields(environ)
            if problem is not None:
                environ[FRONT_PROBLEM] = problem
            on_loop = self._pool is None or self._quick(environ["PATH_INFO"])
            sender = ResponseSender(receive, send, self._body_timeout, on_loop=on_loop)
            try:
                if on_loop:
                    self._run(environ, sender)
                else:
                    await self._run_in_thread(environ, sender)
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
                while size <= self._max_read:
                    message = await receive()
                    if message["type"] != "http.request":
                        return size, problem_response(
                            400, "the body broke off, or is framed wrongly", (), CLOSE
                        )
                    part = message.get("body", b"")
                    kept = part if self._max_bytes is None else part[: max(0, self._max_bytes - size)]
                    body.write(kept)
                    size += len(part)
                    if not message.get("more_body", False) or str(size) == length:
                        break
        except TimeoutError:
            detail = f"the body did not arrive within {self._body_timeout:g} seconds"
            return size, problem_response(408, detail, (), CLOSE)
        except OSError as error:  # of the temporary file
            detail = f"the body cannot be kept: {error.strerror}; try again"
            return size, problem_response(503, detail, (), CLOSE)
        if size > self._max_read and self._max_bytes is None:
            detail = (
                f"the body: got more than {self._max_read} bytes, expected at most {self._max_read} bytes"
            )
            return size, problem_response(413, detail, (), CLOSE)
        body.seek(0)
        return size, None

    async def _run_in_thread(self, environ: Environ, sender: ResponseSender) -> None:
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

    def _run(self, environ: Environ, sender: ResponseSender) -> None:
        parts = self._app(environ, sender.start)
        try:
            sender.take(parts)
        finally:
            getattr(parts, "close", lambda: None)()
