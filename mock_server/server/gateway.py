"""From ASGI to WSGI, with nothing lost on the way: the path as it was sent, every header field, a broken body.

granian serves WSGI too, but decodes the path, writes header values in UTF-8, and ends a chunked answer that
breaks off as if it were whole. A proxy can afford none of the three.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mock_server.proxy.headers import Fields
from mock_server.web.middleware import Environ, WsgiApp

#: In the WSGI environ: the header fields one by one, as they came.
FIELDS = "mock_server.proxy.headers"
THREADS = 64

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Gateway:
    """An ASGI app that lets a WSGI app answer, in one of so many threads."""

    def __init__(self, app: WsgiApp, threads: int = THREADS) -> None:
        self._app = app
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="gateway")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answers one request; what breaks off the body of the answer is raised, so that it stays broken."""
        body = _Body(receive, await receive())
        answer = _Answer(body, send)
        try:
            await asyncio.get_running_loop().run_in_executor(self._pool, self._run, scope, body, answer)
            await answer.sent_at_once()
        finally:
            answer.end()

    def _run(self, scope: Message, body: "_Body", answer: "_Answer") -> None:
        parts = self._app(environ(scope, body), answer.start)
        try:
            answer.body(parts)
        finally:
            getattr(parts, "close", lambda: None)()


class _Body:
    """`wsgi.input`: it gives what has come, without waiting for as much as was asked for."""

    def __init__(self, receive: Receive, first: Message) -> None:
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._rest = b""
        self._more = True
        self._take(first)

    def _take(self, message: Message) -> None:
        if message["type"] != "http.request":
            raise ConnectionResetError("the sender went away before the end of its body")
        self._rest += message.get("body", b"")
        self._more = message.get("more_body", False)

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes; none at the end."""
        while self._more and (not self._rest or size < 0):
            self._take(in_loop(self._loop, self._next()))
        cut = len(self._rest) if size < 0 else size
        given, self._rest = self._rest[:cut], self._rest[cut:]
        return given

    async def _next(self) -> Message:
        return await self._receive()

    async def gone(self) -> None:
        """Waits until the client closes the connection; of no use before the end of the body."""
        if self._more:
            await asyncio.Event().wait()
        await self._receive()


class _Answer:
    """What the app answers: at once where it is a list, else part by part."""

    def __init__(self, body: _Body, send: Send) -> None:
        self._loop = asyncio.get_running_loop()
        self._request, self._send = body, send
        self._head: Message = {}
        self._whole: bytes | None = None
        self._gone: asyncio.Task[None] | None = None

    def start(self, status: str, headers: Fields, _exc_info: Any = None) -> None:
        """`start_response`; the status is three digits and whatever words."""
        encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self._head = {"type": "http.response.start", "status": int(status[:3]), "headers": encoded}

    def body(self, parts: Iterable[bytes]) -> None:
        """Runs in the thread: what is no list is sent as it comes, the head before anything of it has come."""
        if isinstance(parts, list):
            self._whole = b"".join(parts)
            return
        in_loop(self._loop, self._begin())
        for part in parts:
            in_loop(self._loop, self._part(part))
        in_loop(self._loop, self._send_body(b"", more=False))

    async def _begin(self) -> None:
        self._gone = asyncio.ensure_future(self._request.gone())
        await self._send(self._head)
        await self._send_body(b"", more=True)

    async def _part(self, part: bytes) -> None:
        if self._gone is not None and self._gone.done():  # else the server would drop it all in silence
            raise ConnectionResetError("the client went away")
        await self._send_body(part, more=True)

    async def _send_body(self, part: bytes, *, more: bool) -> None:
        await self._send({"type": "http.response.body", "body": part, "more_body": more})

    async def sent_at_once(self) -> None:
        """Sends an answer that is there as a whole."""
        if self._whole is not None:
            await self._send(self._head)
            await self._send_body(self._whole, more=False)

    def end(self) -> None:
        """Stops watching the client."""
        if self._gone is not None:
            self._gone.cancel()


def in_loop(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that the loop runs, while a thread waits for it."""
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result()


def environ(scope: Message, body: Any) -> Environ:
    """The WSGI environ of a request, with `RAW_URI` as other servers have it."""
    host, port = scope.get("server") or ("localhost", 0)
    path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    return {
        **_variables(fields),
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
        FIELDS: fields,
    }


def _variables(fields: Fields) -> Environ:
    """Header fields as WSGI names them; one with an underscore could pass for another and has none."""
    made: Environ = {}
    for name, value in fields:
        if "_" in name:
            continue
        key = name.upper().replace("-", "_")
        key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
        made[key] = f"{made[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{value}" if key in made else value
    return made
