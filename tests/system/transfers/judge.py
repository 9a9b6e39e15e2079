"""The comparison of a log with the meaning of transfers, in plain SQL and Python: nothing here uses the bank's code."""

import json
from collections import Counter, defaultdict
from typing import Any, NamedTuple

from tests.system.faults.books import Books

EVENTS = "SELECT stream, type, data FROM eventstore_event ORDER BY position"
RECORDS = "SELECT id FROM eventstore_commandrecord"
SIGNS = {
    "money_deposited_into_bank_account": 1,
    "money_transfer_received": 1,
    "money_transfer_returned": 1,
    "money_transfer_sent": -1,
}


class Verdict(NamedTuple):
    """The figures of a log. All but `sent`, `received` and `returned` must be 0."""

    sent: int
    received: int
    returned: int
    on_its_way: int
    """Transfers that have not ended."""
    ended_twice: int
    """Transfers that were completed or returned more than once, or both."""
    received_twice: int
    received_and_not_completed: int
    """Transfers that were received and returned, or completed and not received."""
    lost: int
    """The difference of all balances from the money that was paid in."""
    wrong_amounts: int
    """Receipts and returns of another amount than what was sent."""
    overdrawn: int
    """Accounts whose balance was below zero at any event."""
    records: int
    """Command records with an id that another one has."""

    @property
    def is_good(self) -> bool:
        return not any(self[3:])


def judge(books: Books) -> Verdict:
    """Judge a log whose transfers must all have ended."""
    events = [(stream, kind, _parsed(data)) for stream, kind, data in books.rows(EVENTS)]
    transfers: dict[str, Counter[str]] = defaultdict(Counter)
    amounts: dict[str, set[int]] = defaultdict(set)
    balances: Counter[str] = Counter()
    overdrawn, paid_in = set(), 0
    for stream, kind, data in events:
        balances[stream] += SIGNS.get(kind, 0) * data.get("amount", 0)
        paid_in += data["amount"] if kind == "money_deposited_into_bank_account" else 0
        if balances[stream] < 0:
            overdrawn.add(stream)
        if "transferId" in data:
            transfers[data["transferId"]][kind.removeprefix("money_transfer_")] += 1
            amounts[data["transferId"]] |= {data["amount"]} if "amount" in data else set()
    ends = [each["completed"] + each["returned"] for each in transfers.values()]
    ids = [row[0] for row in books.rows(RECORDS)]
    return Verdict(
        sent=sum(each["sent"] for each in transfers.values()),
        received=sum(each["received"] for each in transfers.values()),
        returned=sum(each["returned"] for each in transfers.values()),
        on_its_way=ends.count(0),
        ended_twice=sum(end > 1 for end in ends),
        received_twice=sum(each["received"] > 1 or each["sent"] != 1 for each in transfers.values()),
        received_and_not_completed=sum(each["received"] != each["completed"] for each in transfers.values()),
        lost=paid_in - balances.total(),
        wrong_amounts=sum(len(each) != 1 for each in amounts.values()),
        overdrawn=len(overdrawn),
        records=len(ids) - len(set(ids)),
    )


def _parsed(data: Any) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(data) if isinstance(data, str) else data
    return parsed
