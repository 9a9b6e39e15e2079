"""The rules of a till, as given, when and then. No database."""

from collections.abc import Callable
from typing import Any

import pytest

from bank.domain.errors import (
    CommandRejected,
    InvalidAmount,
    InvalidCount,
    InvalidTeller,
    InvalidTillId,
    TillIsOpen,
    TillShiftOver,
)
from bank.domain.till import MAX_CASH, MAX_TILL_ID, Till
from bank.domain.till_events import (
    CashBroughtFromVault,
    CashPaidIntoClosedTill,
    CashPaidIntoTill,
    CashPaidOutOfClosedTill,
    CashPaidOutOfTill,
    CashTakenToVault,
    TillClosed,
    TillEvent,
    TillOpened,
)

OPENED = TillOpened(7, "tina", 500_00)
CLOSED = TillClosed(7, 500_00, 500_00, 0)
FIVES = ((5_00, 100),)


def till(*history: TillEvent) -> Till:
    """Replay a history."""
    replayed = Till(7)
    for event in history:
        replayed = replayed.apply(event)
    return replayed


def test_a_till_is_opened_for_a_teller() -> None:
    assert till().open("tina", 500_00) == OPENED
    assert till(OPENED) == Till(7, shift=1, teller="tina", cash=500_00)
    assert till().open("tina", 0) == TillOpened(7, "tina", 0), "an empty till can be opened"


def test_a_till_is_one_tellers_at_a_time() -> None:
    for teller in ("tina", "tom"):
        with pytest.raises(TillIsOpen, match="“tina” has it"):
            till(OPENED).open(teller, 0)
    assert till(OPENED, CLOSED).open("tom", 5) == TillOpened(7, "tom", 5)
    assert till(OPENED, CLOSED, TillOpened(7, "tom", 5)) == Till(7, shift=2, teller="tom", cash=5)


def test_cash_of_customers_and_the_vault_changes_what_is_expected() -> None:
    assert till(OPENED).pay_in(1, 5, "c") == CashPaidIntoTill(7, 5, "c")
    assert till(OPENED).pay_out(1, 5, "c") == CashPaidOutOfTill(7, 5, "c")
    assert till(OPENED).bring_from_vault(1, 5) == CashBroughtFromVault(7, 5)
    assert till(OPENED).take_to_vault(1, 5) == CashTakenToVault(7, 5)
    after = till(
        OPENED,
        CashPaidIntoTill(7, 1000, "c"),
        CashPaidOutOfTill(7, 200, "c"),
        CashBroughtFromVault(7, 30),
        CashTakenToVault(7, 4),
    )
    assert after.cash == 500_00 + 1000 - 200 + 30 - 4


def test_more_cash_than_the_till_has_is_paid_out_and_shown_as_short() -> None:
    paid = till(OPENED).pay_out(1, 600_00, "c")
    assert till(OPENED, paid).cash == -100_00
    assert till(OPENED, paid).close(1, ()) == TillClosed(7, -100_00, 0, 100_00)
    assert till(OPENED).take_to_vault(1, 600_00) == CashTakenToVault(7, 600_00)


def test_a_closing_names_the_difference_between_the_count_and_what_is_expected() -> None:
    assert till(OPENED).close(1, FIVES) == CLOSED
    assert till(OPENED).close(1, ((5_00, 99),)) == TillClosed(7, 500_00, 495_00, -5_00)
    assert till(OPENED).close(1, ((5_00, 100), (1, 3))) == TillClosed(7, 500_00, 500_03, 3)
    assert not till(OPENED, CLOSED).is_open


@pytest.mark.parametrize(
    "task",
    [
        lambda till: till.bring_from_vault(1, 5),
        lambda till: till.take_to_vault(1, 5),
        lambda till: till.close(1, FIVES),
    ],
)
@pytest.mark.parametrize("history", [(), (OPENED, CLOSED), (OPENED, CLOSED, TillOpened(7, "tom", 5))])
def test_a_task_of_a_shift_that_is_over_is_rejected(
    task: Callable[[Till], object], history: tuple[TillEvent, ...]
) -> None:
    with pytest.raises(TillShiftOver, match="Till 7 has been closed"):
        task(till(*history))


@pytest.mark.parametrize("later", [(CLOSED,), (CLOSED, TillOpened(7, "tom", 5))])
def test_a_payment_that_reaches_a_till_after_its_shift_is_recorded_and_changes_no_later_shift(
    later: tuple[TillEvent, ...],
) -> None:
    over = till(OPENED, *later)
    paid_in, paid_out = over.pay_in(1, 5, "c"), over.pay_out(1, 9, "d")
    assert (paid_in, paid_out) == (CashPaidIntoClosedTill(7, 5, "c"), CashPaidOutOfClosedTill(7, 9, "d"))
    assert till(OPENED, *later, paid_in, paid_out) == over


@pytest.mark.parametrize(
    ("task", "rejection"),
    [
        (lambda till: till.open("", 5), InvalidTeller),
        (lambda till: till.open("x" * 151, 5), InvalidTeller),
        (lambda till: till.open(None, 5), InvalidTeller),
        (lambda till: till.open("tina", -1), InvalidAmount),
        (lambda till: till.open("tina", "5"), InvalidAmount),
        (lambda till: till.open("tina", 10**12 + 1), InvalidAmount),
    ],
)
def test_a_till_opens_with_a_teller_and_an_amount(
    task: Callable[[Till], object], rejection: type[CommandRejected]
) -> None:
    with pytest.raises(rejection):
        task(till())


@pytest.mark.parametrize("amount", [0, -1, 10**12 + 1, "5", True])
def test_an_impossible_amount_is_rejected(amount: Any) -> None:
    for task in (till(OPENED).bring_from_vault, till(OPENED).take_to_vault):
        with pytest.raises(InvalidAmount):
            task(1, amount)
    with pytest.raises(InvalidAmount):
        till(OPENED).pay_in(1, amount, "c")
    with pytest.raises(InvalidAmount):
        till(OPENED).pay_out(1, amount, "c")


def test_the_vault_fills_and_empties_a_till_up_to_a_limit_only() -> None:
    with pytest.raises(InvalidAmount, match="cannot hold that much"):
        Till(7, 1, "tina", MAX_CASH).bring_from_vault(1, 1)
    with pytest.raises(InvalidAmount, match="cannot have held that much"):
        Till(7, 1, "tina", -MAX_CASH).take_to_vault(1, 1)


@pytest.mark.parametrize(
    "counts", [((5_00, -1),), ((0, 5),), ((-1, 5),), ((5_00, 1.5),), ((5_00, True),), ((MAX_CASH, 2),)]
)
def test_an_impossible_count_is_rejected(counts: Any) -> None:
    with pytest.raises(InvalidCount):
        till(OPENED).close(1, counts)


@pytest.mark.parametrize("till_id", [0, -1, MAX_TILL_ID + 1, "7", True])
def test_an_impossible_number_is_rejected(till_id: Any) -> None:
    till = Till(till_id)
    with pytest.raises(InvalidTillId):
        till.open("tina", 5)
    with pytest.raises(InvalidTillId):
        till.bring_from_vault(1, 5)
    with pytest.raises(InvalidTillId):
        till.pay_in(1, 5, "c")
    with pytest.raises(InvalidTillId):
        till.close(1, ())
