"""The queries of tills: shifts and their movements. Amounts are in minor units; times are aware and in UTC."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from eventstore.backends import backend_of

from .models import shift_key
from .name_search import MAX_ID
from .replicas import reading_from
from .sql import rows, utc, uuid
from .till_kinds import words_of


class Shift(NamedTuple):
    """A shift of a till. `counted`, `difference` and `closed_at` are None while the till is open.

    `late` is the sum of payments that were recorded after the closing.
    """

    till_id: int
    shift: int
    teller: str
    opened_at: datetime
    opening_cash: int
    expected: int
    late: int
    counted: int | None
    difference: int | None
    closed_at: datetime | None
    closed_by: str

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def real_difference(self) -> int | None:
        """The difference with the payments that were recorded after the closing."""
        return None if self.difference is None else self.difference - self.late


class Movement(NamedTuple):
    """A movement of a till. `amount` is negative if cash went out; `expected` is the expected cash after it.

    `about_command_id` is the command of a customer's payment, and `reference` the number of its receipt. It is None
    while the payment is not projected.
    """

    position: int
    kind: str
    amount: int
    expected: int
    recorded_at: datetime
    actor: str
    about_command_id: UUID | None
    reference: int | None

    @property
    def words(self) -> str:
        return words_of(self.kind)

    @property
    def is_late(self) -> bool:
        return self.kind.startswith("late_")


MOST_TILLS, MOST_SHIFTS = 9999, 10**14
"""No till and no shift has a higher number."""
_SHIFTS = f"SELECT {', '.join(Shift._fields)} FROM projections_tillshift"
_MOVEMENTS = f"""
    SELECT {", ".join(Movement._fields[:-1])}, (
        SELECT MIN(line.position) FROM projections_statementline AS line
        WHERE line.command_id = movement.about_command_id
    ) FROM projections_tillmovement AS movement
    WHERE till_id = %s AND shift = %s AND position < %s ORDER BY position DESC LIMIT %s
"""


def _shift(*row: Any) -> Shift:
    found = Shift(*row)
    closed_at = found.closed_at and utc(found.closed_at)
    return found._replace(opened_at=utc(found.opened_at), closed_at=closed_at)


def open_shift_of(teller: str) -> Shift | None:
    """Return the shift of the till that a teller has open, or None."""
    found = rows(f"{_SHIFTS} WHERE teller = %s AND closed_at IS NULL", teller)
    return _shift(*found[0]) if found else None


def find_shift(till_id: int, shift: int) -> Shift | None:
    """Return a shift of a till, or None."""
    if till_id > MOST_TILLS or shift > MOST_SHIFTS:
        return None
    found = rows(f"{_SHIFTS} WHERE key = %s", shift_key(till_id, shift))
    return _shift(*found[0]) if found else None


def last_shift_of(teller: str) -> Shift | None:
    """Return the shift of a teller that was closed last, or None."""
    found = rows(f"{_SHIFTS} WHERE teller = %s AND closed_at IS NOT NULL ORDER BY closed_at DESC LIMIT 1", teller)
    return _shift(*found[0]) if found else None


def shifts_between(since: datetime, until: datetime) -> list[Shift]:
    """Return the shifts that were open at some time between two times, ordered by till and shift."""
    adapt = backend_of(reading_from()).adapt
    statement = f"{_SHIFTS} WHERE opened_at < %s AND (closed_at >= %s OR closed_at IS NULL) ORDER BY till_id, shift"
    return [_shift(*row) for row in rows(statement, adapt(until), adapt(since))]


def movements(till_id: int, shift: int, before: int | None, limit: int) -> list[Movement]:
    """Return the last movements of a shift before a position, the latest first."""
    position = MAX_ID if before is None else min(max(before, 0), MAX_ID)
    return [_movement(*row) for row in rows(_MOVEMENTS, till_id, shift, position, limit)]


def _movement(*row: Any) -> Movement:
    found = Movement(*row)
    about = found.about_command_id and uuid(found.about_command_id)
    return found._replace(recorded_at=utc(found.recorded_at), about_command_id=about)


def shift_of_command(command_id: UUID) -> tuple[int, int] | None:
    """Return the till and the shift of a command's movement, or None."""
    adapt = backend_of(reading_from()).adapt
    found = rows("SELECT till_id, shift FROM projections_tillmovement WHERE command_id = %s", adapt(command_id))
    return (found[0][0], found[0][1]) if found else None


def shift_of_payment(command_id: UUID) -> Shift | None:
    """Return the shift of the till through which the cash of a payment went, or None."""
    adapt = backend_of(reading_from()).adapt
    found = rows("SELECT till_id, shift FROM projections_tillmovement WHERE about_command_id = %s", adapt(command_id))
    return find_shift(*found[0]) if found else None


def free_till() -> int:
    """Return the lowest number of a till that nobody has open now."""
    taken = {till_id for (till_id,) in rows("SELECT till_id FROM projections_tillshift WHERE closed_at IS NULL")}
    return next(number for number in range(1, len(taken) + 2) if number not in taken)
