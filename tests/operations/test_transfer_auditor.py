"""The streams of two accounts say the same of each transfer, or verification finds it. No database."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from bank.domain.events import (
    AccountEvent,
    MoneyDepositedIntoBankAccount,
    MoneyTransferCompleted,
    MoneyTransferReceived,
    MoneyTransferReturned,
    MoneyTransferSent,
    encode,
)
from bank.operations.account_auditor import AccountAuditor
from bank.operations.transfer_auditor import TransferAuditor
from eventstore.verification.findings import Finding
from eventstore.verification.reader import ReadEvent

T = str(UUID(int=7))
SENT = MoneyTransferSent(1, 2, 20, T)
RECEIVED = MoneyTransferReceived(2, 1, 20, T)
COMPLETED = MoneyTransferCompleted(1, T)
RETURNED = MoneyTransferReturned(1, 2, 20, T, "no_such_account")


def recorded(event: AccountEvent, position: int = 1, command_id: int = 7) -> ReadEvent:
    name, data = encode(event)
    at: dict[str, Any] = {"stream": f"bank_account-{event.account_id}", "version": position, "position": position}
    values = {
        **at, "type": name, "schema_version": 1, "data": data, "metadata": {}, "command_id": UUID(int=command_id).hex,
        "recorded_at": datetime(2026, 3, 1, tzinfo=UTC), "transaction_id": 0, "hash": b"",
    }  # fmt: skip
    return ReadEvent(**{field: values[field] for field in ReadEvent._fields})


def auditor_of(events: Sequence[AccountEvent]) -> TransferAuditor:
    auditor = TransferAuditor()
    for position, event in enumerate(events, 1):
        auditor.add(event, recorded(event, position))
    return auditor


@pytest.mark.parametrize(
    "events",
    [
        [],
        [MoneyDepositedIntoBankAccount(1, 5)],
        [SENT],
        [SENT, RECEIVED],
        [SENT, RECEIVED, COMPLETED],
        [SENT, RETURNED],
        [SENT, RECEIVED, COMPLETED, MoneyTransferSent(1, 2, 20, "u")],
    ],
)
@pytest.mark.parametrize("processes", [1, 2])
def test_events_that_belong_together_are_no_finding(events: list[AccountEvent], processes: int) -> None:
    """Streams are split among processes, so the streams of the two accounts may be read in any order."""
    if processes == 1:
        auditor = auditor_of(events)
    else:
        auditor = auditor_of([event for event in events if event.account_id == 2])
        auditor.join(auditor_of([event for event in events if event.account_id == 1]))
    assert list(auditor.findings({})) == []


@pytest.mark.parametrize(
    "events",
    [
        [RECEIVED],
        [COMPLETED],
        [RETURNED],
        [SENT, COMPLETED],
        [RECEIVED, COMPLETED],
        [SENT, SENT],
        [SENT, RECEIVED, RECEIVED],
        [SENT, RECEIVED, COMPLETED, RECEIVED],
        [SENT, RECEIVED, RETURNED],
        [SENT, MoneyTransferReceived(2, 1, 21, T), COMPLETED],
        [SENT, MoneyTransferReceived(3, 1, 20, T)],
        [SENT, MoneyTransferReceived(2, 3, 20, T)],
        [SENT, RECEIVED, MoneyTransferCompleted(3, T)],
        [SENT, MoneyTransferReturned(3, 2, 20, T, "")],
    ],
)
def test_events_that_do_not_belong_together_are_a_finding(events: list[AccountEvent]) -> None:
    [finding] = auditor_of(events).findings({})
    assert f"the events of transfer {T} do not belong together" in finding.what
    assert finding.position == len(events)


def test_a_transfer_of_a_stream_that_was_not_read_to_its_end_is_passed_over() -> None:
    unread = {"bank_account-1": Finding("bank_account-1", 1, 1, "a newer version")}
    assert list(auditor_of([RECEIVED]).findings(unread)) == []


def test_a_transfer_has_the_id_of_its_command() -> None:
    auditor = AccountAuditor(())
    assert auditor.add(recorded(SENT, command_id=8), None) == "its transferId is not the id of its command"
