"""Verification of corrections: the command that each one names has recorded the deposit or withdrawal that it reverses.

The aggregate decides again on each correction, but takes the reversed event as the correction names it. This module
reads that event from the log.
"""

import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

from eventstore.backends import backend_of
from eventstore.errors import UNREADABLE
from eventstore.verification.findings import Finding, shown

from ..domain.events import (
    BankEvent,
    DepositReversed,
    MoneyDepositedIntoBankAccount,
    MoneyWithdrawnFromBankAccount,
    UnknownEvent,
    WithdrawalReversed,
    decode,
)

_REVERSED = """
    SELECT event.type, event.schema_version, event.data
    FROM eventstore_commandrecord AS command
    JOIN eventstore_event AS event ON event.stream = command.stream AND event.version = command.version
    WHERE command.id = %s AND event.command_id = %s AND event.stream = %s AND event.version < %s
"""


class Reversal(NamedTuple):
    """A correction in the log, with the event that its command must have reversed."""

    stream: str
    version: int
    position: int
    command_id: str
    reversed: BankEvent

    def finding(self, what: str) -> Finding:
        return Finding(self.stream, self.version, self.position, what)


def reversed_by(event: BankEvent) -> tuple[str, BankEvent] | None:
    """Return the command id that a correction names, and the event that it reverses. Other events reverse nothing."""
    match event:
        case DepositReversed():
            return event.reversed_command_id, MoneyDepositedIntoBankAccount(event.account_id, event.amount)
        case WithdrawalReversed():
            return event.reversed_command_id, MoneyWithdrawnFromBankAccount(event.account_id, event.amount)
    return None


def findings(using: str, reversals: Iterable[Reversal]) -> Iterator[Finding]:
    """Yield a finding for each correction that reverses something else than it says."""
    backend = backend_of(using)
    for reversal in reversals:
        try:
            command_id = UUID(reversal.command_id)
            if str(command_id) != reversal.command_id:
                raise ValueError(f"{shown(reversal.command_id)} is no command id")
            key = backend.adapt(command_id)
            rows = list(backend.chunked_rows(_REVERSED, [key, key, reversal.stream, reversal.version]))
            recorded = [decode(kind, version, json.loads(data)) for kind, version, data in rows]
        except (*UNREADABLE, UnknownEvent) as error:
            yield reversal.finding(f"it reverses what cannot be read: {shown(error)}")
            continue
        if recorded != [reversal.reversed]:
            yield reversal.finding(
                f"command {command_id} has not recorded the {shown(reversal.reversed)} that it reverses"
            )
