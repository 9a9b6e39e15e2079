"""The read side's figures, held against what the events add up to (`sums.py`).

That is a second way to the same figures, so it finds the projectors' mistakes too, which a replay would only repeat. It
goes as far as each projection has come. Which rows and columns differ beyond the figures is for
`replay_projections --check` to say, which compares them all.
"""

from collections.abc import Iterator
from typing import Any

from django.db import connections

from eventstore.reading import one_moment, rows_of
from eventstore.records import START, Place

from .projectors import PROJECTORS
from .routers import READ_SIDE
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
            checkpoints = rows_of(READ_SIDE, "SELECT name, transaction_id, position FROM projections_checkpoint")
            reached = {name: Place(*place) for name, *place in checkpoints}
            self.places = {name: reached.get(name, START) for name in PROJECTORS}
            self.live = {name: _live(name) for name in PROJECTORS}

    def differences(self, right: SumsUpTo) -> Iterator[tuple[str, str]]:
        """Yield which row of which projection differs from what all events add up to, and how."""
        for name, place in self.places.items():
            if place > right.last:
                yield name, f"it has come to position {place.position}, where the log has no event"
            live, rows = self.live[name], right.sums[place].rows(name)
            differing = [key for key in live.keys() | rows.keys() if live.get(key) != rows.get(key)]
            for key in sorted(differing)[:SHOWN]:
                yield f"{name} {key}", f"it shows {_said(live.get(key))}, and should show {_said(rows.get(key))}"


def _live(name: str) -> Rows:
    vendor = connections[READ_SIDE].vendor
    day = "CAST(day AS TEXT)" if vendor == "sqlite" else "day::text"
    statement = _FIGURES[name].format(table=PROJECTORS[name].model._meta.db_table, day=day)
    # PostgreSQL adds 64-bit numbers up to a decimal one.
    return {
        key: tuple(value if isinstance(value, str) else int(value) for value in row)
        for key, *row in rows_of(READ_SIDE, statement)
    }


def _said(row: tuple[Any, ...] | None) -> str:
    return "nothing" if row is None else ", ".join(str(value) for value in row)
