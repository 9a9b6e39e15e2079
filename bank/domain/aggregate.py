"""The interface of aggregates, and the aggregate of each kind of stream."""

from collections.abc import Mapping
from typing import Any, Protocol, Self

from .account import BankAccount
from .commands import Command
from .streams import ACCOUNT, TILL, OfTill
from .till import Till, check_till_id
from .values import check_account_id


class Aggregate(Protocol):
    """An aggregate: an immutable value that events change. A new one has only its number."""

    def __init__(self, number: int, /) -> None: ...

    @property
    def stream(self) -> str:
        """The name of its stream."""

    def apply(self, event: Any) -> Self:
        """Return the aggregate after one of its events."""

    def to_state(self) -> dict[str, Any]:
        """Return the state for a snapshot."""

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Self | None:
        """Return the aggregate of a snapshot's state, or None if another version of the program made it."""


AGGREGATES: dict[str, type[BankAccount] | type[Till]] = {ACCOUNT: BankAccount, TILL: Till}
"""The aggregates by the first part of their streams' names."""


def new_aggregate(stream: str) -> BankAccount | Till:
    """Return the new aggregate of a stream.

    Raises:
        ValueError, KeyError: no aggregate has such a stream.
    """
    kind, number = stream.rsplit("-", 1)
    return AGGREGATES[kind](int(number))


def check_number(command: Command) -> None:
    """Raise InvalidAccountId or InvalidTillId unless there can be the aggregate that a command is for."""
    if isinstance(command, OfTill):
        check_till_id(command.till_id)
    else:
        check_account_id(command.account_id)
