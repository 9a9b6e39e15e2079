"""The checkpoints: the log position that each projection has reached, locked and moved with its tables."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from eventstore.backends import backend_of
from eventstore.events import LogPosition

from .projectors import PROJECTORS
from .projectors.base import Projector
from .replicas import READ_SIDE


class Locked(NamedTuple):
    """A locked checkpoint: its log position, and the number of streams that its projection has parked.

    `built_with` is what the table depends on besides the events; see `Projector.as_built`.
    """

    log_position: LogPosition
    parked: int
    built_with: str


def lock(cursor: CursorWrapper, names: Sequence[str]) -> dict[str, Locked]:
    """Lock the checkpoints of projections until the transaction ends, and return them.

    A new projection gets a checkpoint at the beginning of the log. Checkpoints are locked and inserted in the order of
    their names, which prevents deadlocks.
    """
    checkpoints = _locked(cursor, names)
    if missing := sorted(set(names) - set(checkpoints)):
        for name in missing:
            cursor.execute(
                """INSERT INTO projections_checkpoint
                   (name, transaction_id, position, updated_at, error, worker, built_with)
                   VALUES (%s, 0, 0, %s, '', '', %s) ON CONFLICT (name) DO NOTHING""",
                [name, _now(), PROJECTORS[name].built_with()],
            )
            cursor.execute("DELETE FROM projections_parkedstream WHERE projection = %s", [name])
        checkpoints = _locked(cursor, names)  # another transaction may have inserted and moved it
    return checkpoints


def _locked(cursor: CursorWrapper, names: Sequence[str]) -> dict[str, Locked]:
    lock = backend_of(READ_SIDE).for_update
    cursor.execute(
        f"""SELECT name, transaction_id, position, parked, built_with FROM projections_checkpoint
            WHERE name IN ({_marks(names)}) ORDER BY name {lock}""",
        names,
    )
    return {
        name: Locked(LogPosition(transaction_id, position), parked, built_with)
        for name, transaction_id, position, parked, built_with in cursor.fetchall()
    }


def move(cursor: CursorWrapper, names: Sequence[str], position: LogPosition) -> None:
    """Move the checkpoints of projections, and clear their errors."""
    cursor.execute(
        f"""UPDATE projections_checkpoint SET transaction_id = %s, position = %s, updated_at = %s,
            error = '', failed_position = NULL, failed_at = NULL WHERE name IN ({_marks(names)})""",
        [*position, _now(), *names],
    )


def move_all(
    cursor: CursorWrapper, projectors: Sequence[Projector], before: LogPosition, position: LogPosition
) -> bool:
    """Move the checkpoints of projectors from one log position to another, in one statement.

    Return whether all were there, and each table is complete and as its projector builds it.
    """
    built_with = [projector.built_with() for projector in projectors]
    cursor.execute(_move_all(projectors), [*position, _now(), *before, *built_with])
    return bool(cursor.rowcount == len(projectors))


@lru_cache
def _move_all(projectors: Sequence[Projector]) -> str:
    """Return the statement of `move_all`. With RETURNING, it takes SQLite three times as long."""
    built_with = " ".join(f"WHEN '{projector.name}' THEN %s" for projector in projectors)
    return f"""
        UPDATE projections_checkpoint SET transaction_id = %s, position = %s, updated_at = %s
        WHERE transaction_id = %s AND position = %s AND parked = 0 AND error = ''
            AND built_with = CASE name {built_with} END
    """


def mark_rebuilt(cursor: CursorWrapper, projector: Projector) -> None:
    """Record what a rebuilt table was built with."""
    cursor.execute(
        "UPDATE projections_checkpoint SET built_with = %s WHERE name = %s", [projector.built_with(), projector.name]
    )


def _marks(values: Sequence[object]) -> str:
    return ", ".join(["%s"] * len(values))


def _now() -> Any:
    return backend_of(READ_SIDE).adapt(timezone.now())
