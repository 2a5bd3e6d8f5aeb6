"""A way to a server that takes its time: `python -m benchmarks.load.delay_proxy PORT TO MILLISECONDS`.

Whatever a client sends is passed on so much later, on any number of connections at once.
"""

import asyncio
import contextlib
import sys


async def _passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    """Passes on what comes, each piece after its delay."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def send() -> None:
        while True:
            due, piece = await queue.get()
            await asyncio.sleep(due - loop.time())
            if not piece:
                writer.close()
                return
            writer.write(piece)

    sending = asyncio.create_task(send())
    with contextlib.suppress(OSError):
        while piece := await reader.read(64 * 1024):
            queue.put_nowait((loop.time() + seconds, piece))
    queue.put_nowait((loop.time() + seconds, b""))
    with contextlib.suppress(OSError):
        await sending


async def _serve(port: int, to: int, seconds: float) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, ahead = await asyncio.open_connection("127.0.0.1", to)
        await asyncio.gather(_passed(reader, ahead, seconds), _passed(behind, writer, 0))

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    own, target, milliseconds = map(int, sys.argv[1:])
    asyncio.run(_serve(own, target, milliseconds / 1000))
