"""Parked streams, and the tables of the read side beside the log."""

from eventstore.events import RecordedEvent
from projections.models import Checkpoint, ParkedStream
from projections.projectors import PROJECTORS
from tests.support.values import whole_log
from tests.system.simulator.tables import TABLES, fold, live_rows


def parked() -> set[tuple[str, str, int]]:
    return {(row.projection, row.stream, row.version) for row in ParkedStream.objects.all()}


def parked_in_all(account_id: int, version: int) -> set[tuple[str, str, int]]:
    return {(name, f"bank_account-{account_id}", version) for name in PROJECTORS}


def as_known(log: list[RecordedEvent]) -> list[RecordedEvent]:
    return [each._replace(type="pin_changed") if "frozen" in each.type else each for each in log]


def assert_tables(log: list[RecordedEvent]) -> None:
    for name in TABLES:
        assert live_rows(name) == fold(log).rows(name), name


def assert_is_whole() -> None:
    assert parked() == set()
    assert set(Checkpoint.objects.values_list("parked", flat=True)) == {0}
    assert_tables(as_known(whole_log()))
