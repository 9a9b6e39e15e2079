"""The read side's figures, held against what the events add up to (`sums.py`).

That is a second way to the same figures, so it finds the projectors' mistakes too, which a replay would only repeat. It
goes as far as each projection has come. Which rows and columns differ beyond the figures is for
`replay_projections --check` to say, which compares them all.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.db import connections

from eventstore.backends import postgresql
from eventstore.bulk_reading import one_moment, rows_of
from eventstore.events import START, Place
from eventstore.verification.findings import UNREADABLE, shown

from ..projectors import PROJECTORS
from ..routers import READ_SIDE
from .sums import Rows, SumsUpTo

SHOWN = 20
"""How many differences of a projection are shown."""

_FIGURES = {
    "accounts": "SELECT account_id, account_holder, balance, version FROM {table}",
    "statements": "SELECT account_id, COUNT(NULLIF(amount, 0)), SUM(amount) FROM {table} GROUP BY account_id",
    "refusals": "SELECT account_id, COUNT(*) FROM {table} GROUP BY account_id",
    "totals": "SELECT id, accounts, balance, paid_in, paid_out FROM {table}",
    "names": "SELECT account_id, COUNT(*) FROM {table} GROUP BY account_id",
    "daily": "SELECT {day}, accounts_opened, deposits, paid_in, withdrawals, paid_out, refusals FROM {table}",
}


class Figures:
    """What the read side says now, and how far each of its projections has come."""

    def __init__(self) -> None:
        """Read the live figures, all of one moment.

        Raises:
            django.db.DatabaseError: the read side cannot be read, or is not there yet.
        """
        with one_moment(READ_SIDE):
            _keep_tables()
            checkpoints = rows_of(READ_SIDE, "SELECT name, transaction_id, position FROM projections_checkpoint")
            reached = {name: Place(*place) for name, *place in checkpoints}
            self.places = {name: reached.get(name, START) for name in PROJECTORS}
            self.bad_places = {
                name: self.places.pop(name)
                for name, place in list(self.places.items())
                if not type(place.transaction_id) is type(place.position) is int
            }
            self.live = {name: _live(name) for name in self.places}

    def differences(self, right: SumsUpTo) -> Iterator[tuple[str, str]]:
        """Yield which row of which projection differs from what all events add up to, and how."""
        for name, bad_place in self.bad_places.items():
            yield f"checkpoint {name}", f"its position and transaction id cannot be read: {shown(tuple(bad_place))}"
        for name, place in self.places.items():
            if place > right.last:
                yield name, f"it has come to position {place.position}, where the log has no event"
            try:
                live, rows = self.live[name], right.sums[place].rows(name)
            except UNREADABLE as error:
                yield name, f"it cannot be compared: {shown(error)}"
                continue
            differing = [key for key in live.keys() | rows.keys() if live.get(key) != rows.get(key)]
            for key in sorted(differing, key=_order)[:SHOWN]:
                yield f"{name} {key}", f"it shows {_said(live.get(key))}, and should show {_said(rows.get(key))}"


def _keep_tables() -> None:
    """Let no replay put another table into the place of one that is about to be read.

    On PostgreSQL the rows of the new one would be younger than this moment, and not be seen.
    """
    if postgresql.is_postgresql(READ_SIDE):
        tables = ", ".join(projector.model._meta.db_table for projector in PROJECTORS.values())
        with connections[READ_SIDE].cursor() as cursor:
            cursor.execute(f"LOCK TABLE {tables} IN ACCESS SHARE MODE")


def _live(name: str) -> Rows:
    vendor = connections[READ_SIDE].vendor
    day = "CAST(day AS TEXT)" if vendor == "sqlite" else "day::text"
    statement = _FIGURES[name].format(table=PROJECTORS[name].model._meta.db_table, day=day)
    return {key: tuple(map(_figure, row)) for key, *row in rows_of(READ_SIDE, statement)}


def _figure(value: Any) -> Any:
    """Return a text or an integer as it is, and anything else in a form that equals no figure."""
    if isinstance(value, Decimal):  # the sum of 64-bit integers on PostgreSQL
        return int(value)
    return value if type(value) in (int, str) else shown(value)


def _order(key: Any) -> tuple[str, Any]:
    """Return what keys are sorted by, which SQLite may hold several types of."""
    return type(key).__name__, key


def _said(row: tuple[Any, ...] | None) -> str:
    return "nothing" if row is None else ", ".join(value if type(value) is str else shown(value) for value in row)
