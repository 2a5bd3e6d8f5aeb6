"""Results that are found once each, by the thread that asks first."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any


@dataclass(slots=True)
class OnceEach:
    """Results by key; different results are found in parallel, and no result twice."""

    _results: dict[Hashable, Any] = field(default_factory=dict)
    _key_locks: dict[Hashable, Lock] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def find(self, key: Hashable, find_result: Callable[[], Any]) -> Any:
        """Return the result of a key; the first caller finds it, and others wait for it."""
        with self._lock:
            key_lock = self._key_locks.setdefault(key, Lock())
        with key_lock:
            if key not in self._results:
                self._results[key] = find_result()
            return self._results[key]
