"""The root of the project, and folders that exist for one run."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a folder that is removed afterwards, whatever files are still being written to it."""
    folder = Path(tempfile.mkdtemp(prefix="benchmarks-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
