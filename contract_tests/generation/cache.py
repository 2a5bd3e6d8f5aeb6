"""Generated data that is costly to draw: shipped beside this module, or stored in the user's cache."""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

SHIPPED_FOLDER = Path(__file__).resolve().parent / "data"


def build_name(kind: str, *inputs: Any) -> str:
    """Return the name of a data file; it changes with every input of the content."""
    return f"{kind}-{hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:20]}.jsonl"


def load_values(name: str) -> list[Any] | None:
    """Return the values of a file, shipped ones first, or None if no readable file exists."""
    for folder in (SHIPPED_FOLDER, user_cache_path("cyberun-contract-kit")):
        try:
            return [json.loads(line) for line in (folder / name).read_text("utf-8").splitlines()]
        except (OSError, ValueError):
            continue
    return None


def save_values(name: str, values: Iterable[Any], folder: Path | None = None) -> None:
    """Write a file atomically; if that fails, the next run draws the values again."""
    path = (folder or user_cache_path("cyberun-contract-kit")) / name
    draft = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text("".join(json.dumps(value) + "\n" for value in values), "utf-8")
        draft.replace(path)
    except OSError:
        return
