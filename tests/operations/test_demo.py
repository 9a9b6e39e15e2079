"""The demonstration bank shows every screen with data, and its record is whole."""

import pytest

from bank.operations import demo
from bank.operations.audit import audit
from projections import engine
from projections.models import TillShift


@pytest.mark.usefixtures("bank")
def test_the_demonstration_has_a_till_that_is_short_and_one_that_is_still_open() -> None:
    assert demo.fill()
    engine.catch_up()
    short, still_open = TillShift.objects.order_by("till_id")
    assert (short.difference, short.counted) == (-5_00, short.expected - 5_00)
    assert still_open.closed_at is None
    assert audit(processes=1).findings == []
    assert not demo.fill(), "it leaves a bank with events alone"
