"""The auditor of transfers: checks that the streams of two accounts say the same of each transfer.

Each account's own events are checked against its rules by `account_auditor`. This module needs no database.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from eventstore.verification.findings import Finding
from eventstore.verification.reader import ReadEvent

from ..domain.events import (
    BankEvent,
    MoneyTransferCompleted,
    MoneyTransferReceived,
    MoneyTransferReturned,
    MoneyTransferSent,
)
from ..domain.streams import stream_of

SENT, RECEIVED = MoneyTransferSent.stored_type, MoneyTransferReceived.stored_type
COMPLETED, RETURNED = MoneyTransferCompleted.stored_type, MoneyTransferReturned.stored_type
ENDED = [COMPLETED, RECEIVED, SENT], [RETURNED, SENT]
"""The events of a transfer that has ended, in the order of their names."""
UNDER_WAY = [SENT], [RECEIVED, SENT]


class _Part(NamedTuple):
    """An event of a transfer. `money` is from, to and amount, or None if the event does not repeat them."""

    name: str
    account_id: int
    money: tuple[int, int, int] | None
    stream: str
    version: int
    position: int


class TransferAuditor:
    """The auditor of the transfers of some accounts. It forgets a transfer that has ended as it should."""

    def __init__(self) -> None:
        self._parts: dict[str, list[_Part]] = {}

    def add(self, event: BankEvent, recorded: ReadEvent) -> None:
        """Add an event, if it belongs to a transfer."""
        match event:
            case MoneyTransferSent() | MoneyTransferReturned():
                money: tuple[int, int, int] | None = event.account_id, event.to_account_id, event.amount
            case MoneyTransferReceived():
                money = event.from_account_id, event.account_id, event.amount
            case MoneyTransferCompleted():
                money = None
            case _:
                return
        at = recorded.stream, recorded.version, recorded.position
        self._add(event.transfer_id, [_Part(event.stored_type, event.account_id, money, *at)])

    def join(self, other: "TransferAuditor") -> None:
        """Add the transfers of other accounts."""
        for transfer_id, parts in other._parts.items():
            self._add(transfer_id, parts)

    def _add(self, transfer_id: str, more: list[_Part]) -> None:
        parts = self._parts.pop(transfer_id, []) + more
        if not (_names(parts) in ENDED and _is_one(parts)):
            self._parts[transfer_id] = parts

    def findings(self, unchecked: Mapping[str, Finding]) -> Iterator[Finding]:
        """Yield a finding for each transfer whose events do not belong together.

        Args:
            unchecked: the streams that were not read to their ends. Transfers from or to these are passed over.
        """
        for transfer_id, parts in self._parts.items():
            accounts = {account_id for part in parts for account_id in (part.account_id, *(part.money or ())[:2])}
            if (_names(parts) in UNDER_WAY and _is_one(parts)) or not unchecked.keys().isdisjoint(
                map(stream_of, accounts)
            ):
                continue
            last = max(parts, key=lambda part: part.position)
            events = ", ".join(f"{part.name} {part.stream}@{part.version}" for part in parts)
            what = f"the events of transfer {transfer_id} do not belong together: {events}"
            yield Finding(last.stream, last.version, last.position, what)


def _names(parts: list[_Part]) -> list[str]:
    return sorted(part.name for part in parts)


def _is_one(parts: list[_Part]) -> bool:
    """Return whether these events say the same of accounts and amount."""
    money = {part.money for part in parts if part.money}
    sender = {part.account_id for part in parts if part.name != RECEIVED}
    return len(money) == 1 and sender == {next(iter(money))[0]}
