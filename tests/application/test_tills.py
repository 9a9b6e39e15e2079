"""Tills on both databases: a teller has one till at most, and each task counts once."""

from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from bank.application import account_cache, repository, tills
from bank.application.dispatch import handle
from bank.domain.commands import (
    BringCashFromVault,
    CloseTill,
    Command,
    OpenTill,
    RecordCashIn,
    RecordCashOut,
    TakeCashToVault,
)
from bank.domain.errors import CommandIdReused, InvalidTillId, TellerHasTill, TillIsOpen, TillShiftOver
from bank.domain.till import Till
from bank.domain.till_events import CashPaidIntoClosedTill, TillClosed, TillOpened
from bank.operations.audit import audit
from eventstore import snapshots
from eventstore.models import CommandRecord, Event
from tests.support.values import at_once, query

pytestmark = pytest.mark.usefixtures("bank")

FIVES = ((5_00, 100),)


def open_till(till_id: int = 7, teller: str = "tina", cash: int = 500_00) -> None:
    handle(OpenTill(till_id, teller, cash), actor=teller)


def findings() -> list[str]:
    return [str(each) for each in audit(read_side=False, processes=1).findings]


def test_an_opened_till_is_its_tellers_until_it_is_closed() -> None:
    open_till()
    assert tills.till_of("tina") == (7, 1)
    assert tills.till_of("tom") is None
    ack = handle(CloseTill(7, 1, FIVES), actor="tina")
    assert ack.events == (TillClosed(7, 500_00, 500_00, 0),)
    assert tills.till_of("tina") is None
    open_till(teller="tom")
    assert tills.till_of("tom") == (7, 2)
    assert findings() == []


def test_the_metadata_of_each_event_has_its_shift_and_that_of_a_closing_the_count() -> None:
    open_till()
    handle(BringCashFromVault(7, 1, 5))
    handle(CloseTill(7, 1, ((5_00, 99), (1, 3))))
    open_till()
    metadata = [event.metadata for event in Event.objects.order_by("position")]
    assert [each["till_shift"] for each in metadata] == [1, 1, 1, 2]
    assert [each.get("till_counts") for each in metadata] == [None, None, {"500": 99, "1": 3}, None]


def test_a_teller_has_one_open_till_at_most() -> None:
    open_till(7)
    with pytest.raises(TellerHasTill, match="tina has till 7 open"):
        open_till(8)
    assert repository.load_till(8).aggregate == Till(8)
    assert CommandRecord.objects.get(outcome="rejected").reason == "teller_has_till"
    open_till(8, "tom")
    assert findings() == []


def test_of_tellers_who_open_tills_at_the_same_moment_each_gets_one() -> None:
    """Two log-ins of one teller at two tills, and two tellers at one till."""

    def attempt(command: Command) -> str:
        try:
            handle(command)
        except (TellerHasTill, TillIsOpen) as rejection:
            return rejection.code
        return "opened"

    for number in range(10):
        teller, other = f"teller {number}", f"other {number}"
        first, second, third = 3 * number + 1, 3 * number + 2, 3 * number + 3
        commands = [OpenTill(first, teller, 0), OpenTill(second, teller, 0)]
        commands += [OpenTill(third, name, 0) for name in (other, f"{other} too")]
        outcomes = at_once([partial(attempt, command) for command in commands])
        assert sorted(outcomes) == ["opened", "opened", "teller_has_till", "till_is_open"]
    assert findings() == []


@pytest.mark.parametrize("command", [BringCashFromVault(7, 1, 5), TakeCashToVault(7, 1, 5), CloseTill(7, 1, ())])
def test_a_form_of_an_earlier_shift_changes_nothing(command: Command) -> None:
    open_till()
    handle(CloseTill(7, 1, FIVES))
    open_till(teller="tom")
    with pytest.raises(TillShiftOver):
        handle(command)
    assert repository.load_till(7).aggregate == Till(7, 2, "tom", 500_00)


def test_a_repeated_command_counts_once_and_other_content_is_refused() -> None:
    open_till()
    command_id = uuid4()
    first = handle(CloseTill(7, 1, FIVES), command_id=command_id)
    again = handle(CloseTill(7, 1, FIVES), command_id=command_id)
    assert again == first._replace(repeated=True)
    with pytest.raises(CommandIdReused):
        handle(CloseTill(7, 1, ((5_00, 99),)), command_id=command_id)
    assert Event.objects.count() == 2


def test_a_payment_that_comes_after_the_closing_is_on_record() -> None:
    open_till()
    handle(CloseTill(7, 1, FIVES))
    open_till(teller="tom")
    ack = handle(RecordCashIn(7, 1, 10_00, "c"))
    assert ack.events == (CashPaidIntoClosedTill(7, 10_00, "c"),)
    assert repository.load_till(7).aggregate.cash == 500_00
    assert findings() == []


@pytest.mark.parametrize("till_id", [0, -1, 10_000, "7", 10**5000], ids=["0", "-1", "too large", "text", "huge"])
def test_an_impossible_till_is_rejected_and_the_rejection_recorded(till_id: Any) -> None:
    with pytest.raises(InvalidTillId):
        handle(OpenTill(till_id, "tina", 0))
    assert CommandRecord.objects.get().stream == ""


def test_a_long_stream_of_a_till_is_loaded_from_its_snapshot() -> None:
    open_till(cash=0)
    for _ in range(snapshots.EVERY):
        handle(RecordCashIn(7, 1, 5, "c"))
        handle(RecordCashOut(7, 1, 3, "c"))
    account_cache.forget("till-7")
    loaded = repository.load_till(7)
    assert loaded.aggregate == Till(7, 1, "tina", 2 * snapshots.EVERY)
    assert query("SELECT stream FROM eventstore_snapshot") == [("till-7",)]
    assert next(repository.states_of("till-7", 3, 3)) == {"till_id": 7, "shift": 1, "teller": "tina", "cash": 2}
    assert findings() == []


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("DELETE FROM bank_opentill", "it is open, and has no row of its teller"),
        ("UPDATE bank_opentill SET teller = 'tom'", "'tom' has it by its row, and ('tina', 1) by its events"),
        ("UPDATE bank_opentill SET shift = 2", "'tina' has it by its row"),
        ("INSERT INTO bank_opentill VALUES (8, 'tom', 1)", "'tom' has it by its row, and nobody by its events"),
    ],
)
def test_verification_compares_the_tellers_of_open_tills_with_the_events(statement: str, finding: str) -> None:
    open_till()
    assert findings() == []
    query(statement)
    [found] = findings()
    assert finding in found


def test_an_event_of_a_till_has_the_account_caches_key_of_its_stream() -> None:
    open_till()
    assert account_cache.get("till-7") == repository.load_till(7)
    assert TillOpened(7, "tina", 0).stream == "till-7"
