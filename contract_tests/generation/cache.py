"""What is costly to draw is drawn once and kept as data: shipped beside this module, or in the user's cache."""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

SHIPPED = Path(__file__).resolve().parent / "data"


def named(kind: str, *made_of: Any) -> str:
    """Return the name of a file after all that its content is made of."""
    return f"{kind}-{hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:20]}.jsonl"


def recalled(name: str) -> list[Any] | None:
    """Return the values of a file, those that are shipped first; None where there is none that can be read."""
    for folder in (SHIPPED, user_cache_path("cyberun-contract-kit")):
        try:
            return [json.loads(line) for line in (folder / name).read_text("utf-8").splitlines()]
        except (OSError, ValueError):
            continue
    return None


def keep(name: str, values: Iterable[Any], folder: Path | None = None) -> None:
    """Write a file whole or not at all; where it cannot be written, the next run draws again."""
    path = (folder or user_cache_path("cyberun-contract-kit")) / name
    draft = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text("".join(json.dumps(value) + "\n" for value in values), "utf-8")
        draft.replace(path)
    except OSError:
        return
