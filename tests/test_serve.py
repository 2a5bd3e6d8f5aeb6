"""The process that serves: what is stored costs nothing while it only lies there."""

import gc
import subprocess
import sys

from mock_server import serve

#: Runs what a worker of the server runs, then a full collection of garbage.
_WORKER = """
import gc, sys
from mock_server import serve
made, kept = serve._loaded(serve.Options(quiet=True), None), [[]]
gc.collect()
assert sys.getswitchinterval() < 0.001
print([each is kept for each in gc.get_objects()].count(True), gc.get_freeze_count() > 10_000)
"""


def test_what_outlives_a_collection_of_garbage_is_looked_at_no_more() -> None:
    """In a worker, after one full collection, nothing that is kept is the collector's business."""
    done = subprocess.run([sys.executable, "-c", _WORKER], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "True"]


def test_other_collections_leave_all_where_it_is() -> None:
    """The collections of what is young, which are many, move nothing out of the collector's sight."""
    frozen = gc.get_freeze_count()
    for generation in (0, 1):
        serve._spared("start", {"generation": generation})
        serve._spared("stop", {"generation": generation})
    serve._spared("start", {"generation": 2})
    assert gc.get_freeze_count() == frozen
