"""The account cache: the accounts and tills that this process saved last, in memory.

It may be stale. `store.append` refuses an event that was decided on any other than the latest event.
"""

from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .repository import Loaded

SIZE = 10_000
"""The largest number of cached aggregates, about 10 MB."""

_loaded: dict[str, "Loaded[Any]"] = {}
_writing = Lock()


def get(stream: str) -> "Loaded[Any] | None":
    """Return an aggregate as this process last saved it, or None."""
    return _loaded.get(stream)


def put(stream: str, loaded: "Loaded[Any]") -> None:
    """Put an aggregate into the cache. A full cache drops the one that was saved longest ago.

    A newer one stays: a process manager may have continued the stream before its command's aggregate is put here.
    """
    with _writing:
        known = _loaded.pop(stream, None)
        _loaded[stream] = known if known and known.version > loaded.version else loaded
        if len(_loaded) > SIZE:
            del _loaded[next(iter(_loaded))]


def forget(stream: str) -> bool:
    """Remove an aggregate, and return whether it was in the cache."""
    with _writing:
        return _loaded.pop(stream, None) is not None
