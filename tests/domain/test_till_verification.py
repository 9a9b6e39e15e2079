"""Verification of a till's events: each recorded decision that the rules do not make is named."""

from typing import Any

import pytest

from bank.domain.till import Till
from bank.domain.till_events import (
    CashBroughtFromVault,
    CashPaidIntoClosedTill,
    CashPaidIntoTill,
    CashPaidOutOfTill,
    CashTakenToVault,
    TillClosed,
    TillEvent,
    TillOpened,
)
from bank.domain.till_verification import misfit_of_till

CLOSED, OPEN = Till(7, 1), Till(7, 1, "tina", 500)
COUNTED = {"till_shift": 1, "till_counts": {"5": 99}}


@pytest.mark.parametrize(
    ("till", "event", "metadata", "command"),
    [
        (CLOSED, TillOpened(7, "tom", 5), {"till_shift": 2}, "open_till"),
        (OPEN, CashPaidIntoTill(7, 5, "c"), {"till_shift": 1}, "record_cash_in"),
        (OPEN, CashPaidOutOfTill(7, 9999, "c"), {"till_shift": 1}, "record_cash_out"),
        (OPEN, CashBroughtFromVault(7, 5), {"till_shift": 1}, "bring_cash_from_vault"),
        (OPEN, CashTakenToVault(7, 5), {"till_shift": 1}, "take_cash_to_vault"),
        (OPEN, TillClosed(7, 500, 495, -5), COUNTED, "close_till"),
        (CLOSED, CashPaidIntoClosedTill(7, 5, "c"), {"till_shift": 1}, "record_cash_in"),
        (Till(7, 2, "tom", 5), CashPaidIntoClosedTill(7, 5, "c"), {"till_shift": 1}, "record_cash_in"),
    ],
)
def test_a_decision_of_the_rules_is_no_misfit(
    till: Till, event: TillEvent, metadata: dict[str, Any], command: str
) -> None:
    assert misfit_of_till(till, event, metadata, command) is None
    assert "for the command unlock_pin" in str(misfit_of_till(till, event, metadata, "unlock_pin"))
    assert misfit_of_till(till, event, {}, command) == "its shift is not recorded"


@pytest.mark.parametrize(
    ("till", "event", "metadata", "finding"),
    [
        (OPEN, TillOpened(7, "tom", 5), {"till_shift": 2}, "“tina” has it"),
        (CLOSED, TillOpened(7, "tom", 5), {"till_shift": 1}, "it is of shift 2, and its metadata says 1"),
        (CLOSED, TillClosed(7, 0, 495, 495), COUNTED, "has been closed"),
        (OPEN, TillClosed(7, 500, 495, 0), COUNTED, "difference=-5"),
        (OPEN, TillClosed(7, 495, 495, 0), COUNTED, "expected=500"),
        (OPEN, TillClosed(7, 500, 500, 0), COUNTED, "counted=495"),
        (OPEN, TillClosed(7, 500, 495, -5), {"till_shift": 1}, "number of pieces"),
        (OPEN, TillClosed(7, 500, 495, -5), {"till_shift": 1, "till_counts": {"x": 5}}, "number of pieces"),
        (OPEN, TillClosed(7, 500, 495, -5), {"till_shift": 1, "till_counts": {"5": "99"}}, "whole pieces"),
        (OPEN, CashPaidIntoClosedTill(7, 5, "c"), {"till_shift": 1}, "record CashPaidIntoTill"),
        (CLOSED, CashPaidIntoTill(7, 5, "c"), {"till_shift": 1}, "record CashPaidIntoClosedTill"),
        (CLOSED, CashBroughtFromVault(7, 5), {"till_shift": 1}, "has been closed"),
    ],
)
def test_another_decision_is_named(till: Till, event: TillEvent, metadata: dict[str, Any], finding: str) -> None:
    found = misfit_of_till(till, event, metadata, "close_till")
    assert found is not None
    assert finding in found
