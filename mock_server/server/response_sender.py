"""Sends the response of a WSGI app as ASGI messages, whole or in parts that the client reads in time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

from mock_server.web.truncated_body import FLUSH_SECONDS, TruncatedBody

#: A longer response is sent in parts of this size, each of which the client has to read in time.
_PART_BYTES = 256 * 1024

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class ResponseSender:
    """Sends one response: whole if it is a list or made on the loop, else in parts from a thread.

    The client has to read each part of a long response within `timeout` seconds.
    """

    def __init__(self, receive: Receive, send: Send, timeout: float, *, on_loop: bool) -> None:
        self._timeout, self._on_loop = timeout, on_loop
        self._loop = asyncio.get_running_loop()
        self._receive, self._send = receive, send
        self._head: Message = {}
        self._whole: list[bytes] | TruncatedBody | None = None
        self._disconnect: asyncio.Future[None] | None = None

    def start(self, status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> None:
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
