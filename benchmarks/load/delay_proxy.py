"""A proxy that delays requests: `python -m benchmarks.load.delay_proxy PORT TARGET_PORT MILLISECONDS`.

It forwards each piece of a request after the delay and each response at once, on any number of connections.
"""

import asyncio
import contextlib
import sys

_PIECE_BYTES = 64 * 1024


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    """Forward a stream, each piece after its delay."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def send_pieces() -> None:
        while True:
            due, piece = await queue.get()
            await asyncio.sleep(due - loop.time())
            if not piece:
                writer.close()
                return
            writer.write(piece)

    sender = asyncio.create_task(send_pieces())
    with contextlib.suppress(OSError):
        while piece := await reader.read(_PIECE_BYTES):
            queue.put_nowait((loop.time() + seconds, piece))
    queue.put_nowait((loop.time() + seconds, b""))
    with contextlib.suppress(OSError):
        await sender


async def _serve_proxy(port: int, target_port: int, seconds: float) -> None:
    async def handle_client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target_reader, target_writer = await asyncio.open_connection("127.0.0.1", target_port)
        await asyncio.gather(
            _forward(reader, target_writer, seconds),
            _forward(target_reader, writer, 0),
        )

    server = await asyncio.start_server(handle_client, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Serve the proxy until the process is stopped."""
    port, target_port, milliseconds = map(int, sys.argv[1:])
    asyncio.run(_serve_proxy(port, target_port, milliseconds / 1000))


if __name__ == "__main__":
    main()
