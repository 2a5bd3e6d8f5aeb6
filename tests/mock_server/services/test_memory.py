"""The store in memory."""

import threading

from mock_server.services.memory import MemoryStore


def test_a_transaction_excludes_others() -> None:
    """A second transaction waits until the first one ends."""
    store, started, order = MemoryStore(), threading.Event(), []

    def run_second() -> None:
        started.wait()
        with store.transaction():
            order.append("second")

    thread = threading.Thread(target=run_second)
    thread.start()
    with store.transaction():
        started.set()
        thread.join(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
