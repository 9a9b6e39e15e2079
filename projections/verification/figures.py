"""Comparison of the read side's figures with those computed by `sums.py`.

The second computation also finds errors of the projectors, which a replay would repeat. It runs up to the checkpoint of
each projection. `replay_projections --check` compares all rows and columns.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import connections

from eventstore.backends import backend_of
from eventstore.errors import UNREADABLE
from eventstore.events import START, LogPosition
from eventstore.verification.findings import Finding, shown

from ..big_sums import joined
from ..projectors import PROJECTORS
from ..projectors.daily import zone_of
from ..routers import READ_SIDE
from .sums import Cut, Rows, SumsUpTo

SHOWN = 20
"""The largest number of differences shown for a projection."""

_FIGURES = {
    "accounts": "SELECT account_id, account_holder, balance, version FROM {table}",
    "statements": """SELECT account_id, COUNT(NULLIF(amount, 0)),
        SUM(amount / {part}), SUM(amount - amount / {part} * {part}) FROM {table} GROUP BY account_id""",
    "refusals": "SELECT account_id, COUNT(*) FROM {table} GROUP BY account_id",
    "totals": """SELECT id, accounts, balance_high, balance, paid_in_high, paid_in, paid_out_high, paid_out,
        on_its_way_high, on_its_way FROM {table}""",
    "names": "SELECT account_id, COUNT(*) FROM {table} GROUP BY account_id",
    "daily": """SELECT CAST(day AS TEXT), accounts_opened, deposits, paid_in_high, paid_in, withdrawals,
        paid_out_high, paid_out, refusals, corrections FROM {table}""",
    "transfers": """SELECT account_id, COUNT(sent_at), COUNT(arrived_at), COUNT(returned_at),
        SUM(amount / {part}), SUM(amount - amount / {part} * {part})
        FROM (SELECT account_id, sent_at, arrived_at, returned_at, CASE WHEN sent_at IS NULL THEN 0 ELSE amount END
        AS amount FROM {table}) AS transfers GROUP BY account_id""",
    "tills": """SELECT CAST(till_id AS TEXT) || '-' || CAST(shift AS TEXT), teller, opening_cash, expected, late,
        COALESCE(CAST(counted AS TEXT), ''), COALESCE(CAST(difference AS TEXT), '') FROM {table}""",
    "till_movements": """SELECT CAST(till_id AS TEXT) || '-' || CAST(shift AS TEXT), COUNT(*), SUM(amount)
        FROM {table} GROUP BY till_id, shift""",
}
_CHECKPOINTS = "SELECT name, built_with, transaction_id, position FROM projections_checkpoint"
_ONLY_AS_TODAY = {"names"}
"""The projections that can be computed only in the way of this version."""
_PART = 2**32
"""The divisor that splits an amount in two, so that SQLite can add up the parts without overflow."""
_IN_TWO = {"statements": [1], "totals": [1, 2, 3, 4], "daily": [2, 4], "transfers": [3]}
"""The figures of a row in two columns, a high part and a low part."""
_BY_PART = {"statements", "transfers"}
"""The projections with one amount in a row, whose sums are in two parts by `_PART`."""


class Figures:
    """The current figures of the read side, and the checkpoints of its projections.

    `zone` is the time zone of the days that the daily figures count. A change of the setting does not change them.
    """

    def __init__(self) -> None:
        """Read the live figures in one database snapshot.

        Raises:
            django.db.DatabaseError: the read side cannot be read, or does not exist yet.
        """
        with backend_of(READ_SIDE).one_moment():
            _keep_tables()
            checkpoints = list(backend_of(READ_SIDE).chunked_rows(_CHECKPOINTS))
            reached = {name: LogPosition(*log_position) for name, _, *log_position in checkpoints}
            built = {name: str(built_with) for name, built_with, *_ in checkpoints}
            self.zone = zone_of(built.get("daily", ""))
            self.stale = [name for name in built if name in PROJECTORS and built[name] != PROJECTORS[name].built_with()]
            comparable = [name for name in PROJECTORS if name not in self.stale or name not in _ONLY_AS_TODAY]
            self.log_positions = {name: reached.get(name, START) for name in comparable}
            self.bad_positions = {
                name: self.log_positions.pop(name)
                for name, log_position in list(self.log_positions.items())
                if not type(log_position.transaction_id) is type(log_position.position) is int
            }
            self.cuts = {name: Cut(at, _parked(name)) for name, at in self.log_positions.items()}
            self.live = {name: _live(name) for name in self.log_positions}

    def notes(self) -> Iterator[str]:
        """Yield a note on each projection that is compared in another way, or not in full."""
        if self.stale:
            yield (
                f"Compared as built by another version of the program or with another setting: {', '.join(self.stale)}."
                f" Run `manage.py replay_projections {' '.join(self.stale)}`."
            )
        if without := [name for name, cut in self.cuts.items() if cut.parked]:
            streams = {stream for cut in self.cuts.values() for stream, _ in cut.parked}
            yield (
                f"The figures of {', '.join(without)} lack a part of {len(streams):,} accounts, and were compared "
                "without it. The admin says why; `manage.py replay_projections --resume` tries it again."
            )

    def differences(self, right: SumsUpTo, unchecked: Mapping[str, Finding]) -> Iterator[tuple[str, str]]:
        """Yield each differing row with its projection, and the difference from the sums of all events.

        Args:
            unchecked: streams of which the sums lack the events from a version on. A projection that has applied one
                of these events is not compared.
        """
        for name, bad_position in self.bad_positions.items():
            yield f"checkpoint {name}", f"its position and transaction id cannot be read: {shown(tuple(bad_position))}"
        for name, log_position in self.log_positions.items():
            if log_position > right.last:
                yield name, f"it has come to position {log_position.position}, where the log has no event"
            parked = dict(self.cuts[name].parked)
            if any(each.stream not in parked or parked[each.stream] > each.version for each in unchecked.values()):
                continue
            try:
                live, rows = self.live[name], right.sums[self.cuts[name]].rows(name)
            except UNREADABLE as error:
                yield name, f"it cannot be compared: {shown(error)}"
                continue
            differing = [key for key in live.keys() | rows.keys() if live.get(key) != rows.get(key)]
            for key in sorted(differing, key=_order)[:SHOWN]:
                yield f"{name} {key}", f"it shows {_text_of(live.get(key))}, and should show {_text_of(rows.get(key))}"


def _parked(name: str) -> frozenset[tuple[str, int]]:
    """Return the streams that a projection has parked, with the first version that its table lacks."""
    statement = "SELECT stream, version FROM projections_parkedstream WHERE projection = %s"
    return frozenset((stream, version) for stream, version in backend_of(READ_SIDE).chunked_rows(statement, [name]))


def _keep_tables() -> None:
    """Lock the tables, so that no replay swaps one of them before it is read.

    On PostgreSQL the rows of the new table would be younger than this database snapshot, and invisible.
    """
    with connections[READ_SIDE].cursor() as cursor:
        backend_of(READ_SIDE).keep_tables(cursor, [projector.model._meta.db_table for projector in PROJECTORS.values()])


def _live(name: str) -> Rows:
    statement = _FIGURES[name].format(table=PROJECTORS[name].model._meta.db_table, part=_PART)
    return {key: _figures(name, row) for key, *row in backend_of(READ_SIDE).chunked_rows(statement)}


def _figures(name: str, row: Sequence[Any]) -> tuple[Any, ...]:
    """Return the figures of a row, with the parts of each sum joined."""
    figures = list(map(_figure, row))
    for at in _IN_TWO.get(name, ()):
        high, low = figures[at : at + 2]
        whole: Any = f"{_text_of((high,))} and {_text_of((low,))}"  # equals no figure
        if type(high) is type(low) is int:
            whole = high * _PART + low if name in _BY_PART else joined(high, low)
        figures[at : at + 2] = [whole]
    return tuple(figures)


def _figure(value: Any) -> Any:
    """Return text and integers as they are, and any other value in a form that equals no figure."""
    if isinstance(value, Decimal):  # PostgreSQL's sum of 64-bit integers
        return int(value)
    return value if type(value) in (int, str) else shown(value)


def _order(key: Any) -> tuple[str, Any]:
    """Return a sort key for keys of several types, which SQLite may hold."""
    return type(key).__name__, key


def _text_of(row: tuple[Any, ...] | None) -> str:
    return "nothing" if row is None else ", ".join(value if type(value) is str else shown(value) for value in row)
