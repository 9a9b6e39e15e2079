"""The account cache: the accounts that this process saved last, in memory.

It may be stale. `store.append` refuses an event that was decided on any other than the latest event.
"""

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .repository import Loaded

SIZE = 10_000
"""The largest number of cached accounts, about 10 MB."""

_accounts: dict[int, "Loaded"] = {}
_writing = Lock()


def get(account_id: int) -> "Loaded | None":
    """Return an account as this process last saved it, or None."""
    return _accounts.get(account_id)


def put(account_id: int, loaded: "Loaded") -> None:
    """Put an account into the cache. A full cache drops the account that was saved longest ago."""
    with _writing:
        _accounts.pop(account_id, None)
        _accounts[account_id] = loaded
        if len(_accounts) > SIZE:
            del _accounts[next(iter(_accounts))]


def forget(account_id: int) -> bool:
    """Remove an account, and return whether it was in the cache."""
    with _writing:
        return isinstance(account_id, int) and _accounts.pop(account_id, None) is not None
