"""The transfers between accounts, as the pages show them."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from .kinds import because
from .sql import rows, utc, uuid


class Transfer(NamedTuple):
    """A transfer between two accounts. It is on its way until it has arrived or is returned.

    A holder's name is empty if the read side does not have the account. `sent_at` is missing while the account that
    sent it is parked.
    """

    transfer_id: UUID
    account_id: int
    account_holder: str
    to_account_id: int
    to_holder: str
    amount: int
    sent_at: datetime | None
    arrived_at: datetime | None
    returned_at: datetime | None
    reason: str

    @property
    def returned_because(self) -> str:
        return because(self.reason)


_TRANSFER = """
    SELECT transfer_id, transfer.account_id, account.account_holder, to_account_id, other.account_holder, amount,
        sent_at, arrived_at, returned_at, reason
    FROM projections_moneytransfer AS transfer
    LEFT JOIN projections_accountsummary AS account ON account.account_id = transfer.account_id
    LEFT JOIN projections_accountsummary AS other ON other.account_id = transfer.to_account_id
"""


def _transfer(
    transfer_id: Any,
    account_id: int,
    account_holder: str | None,
    to_account_id: int,
    to_holder: str | None,
    amount: int,
    sent_at: datetime | None,
    arrived_at: datetime | None,
    returned_at: datetime | None,
    reason: str,
) -> Transfer:
    sent_at, arrived_at, returned_at = (moment and utc(moment) for moment in (sent_at, arrived_at, returned_at))
    accounts = account_id, account_holder or "", to_account_id, to_holder or ""
    return Transfer(uuid(transfer_id), *accounts, amount, sent_at, arrived_at, returned_at, reason)


def find_transfer(transfer_id: UUID) -> Transfer | None:
    """Return a transfer, or None if the read side does not have it."""
    found = rows(f"{_TRANSFER} WHERE transfer_id = %s", transfer_id.hex)
    return _transfer(*found[0]) if found else None


def transfers_on_their_way(limit: int = 100) -> list[Transfer]:
    """Return the transfers that have neither arrived nor come back, the first sent first."""
    found = rows(f"{_TRANSFER} WHERE arrived_at IS NULL AND returned_at IS NULL ORDER BY sent_at LIMIT %s", limit)
    return [_transfer(*row) for row in found]
