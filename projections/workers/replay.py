"""Replay: rebuild each table beside the live one with the live projectors, then swap it in.

Meanwhile pages read the live tables, which are kept caught up. Each swap is a short transaction of its own. It holds
only one lock that excludes readers, so it cannot deadlock with a page.
"""

import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from django.db import OperationalError, connections, transaction
from django.db.backends.utils import CursorWrapper

from eventstore import errors
from eventstore.backends import backend_of
from eventstore.events import START, LogPosition

from .. import checkpoints, quarantine
from ..projectors import PROJECTORS
from ..projectors.base import Projector
from ..routers import READ_SIDE
from .rebuild import SHOWN as SHOWN
from .rebuild import SUFFIX as SUFFIX
from .rebuild import NotComparable as NotComparable
from .rebuild import Progress, Rebuild, alone, beside
from .rebuild import ReplayRunning as ReplayRunning

END = LogPosition(2**63, 2**63)
WAITS = (0.1, 1.6)
"""The first and the longest wait of a swap for readers of the table on PostgreSQL, in seconds.

Later readers queue behind the waiting swap, so the first wait is short. The longest exceeds PostgreSQL's
`deadlock_timeout`, after which an autovacuum yields.
"""
PATIENCE = 60.0
"""Seconds for which the swap of one table is tried."""


class TableInUse(Exception):
    """A table was in use for so long that the rebuilt one could not be swapped in."""


class Difference(NamedTuple):
    """A row that differs. `live` or `rebuilt` is None if that table lacks the row."""

    table: str
    key: object
    live: dict[str, object] | None
    rebuilt: dict[str, object] | None


def replay(names: Iterable[str] = (), *, progress: Progress = lambda count: None) -> int:
    """Rebuild the named projections, or all. Return the number of events applied before the swaps.

    Streams with an event that cannot be decoded are parked in the new tables, as are those that a projector's error has
    parked in the live ones.

    Raises:
        engine.UnknownProjection
        ReplayRunning: another process is replaying or checking.
        TableInUse: the tables before this one are rebuilt; it and the later ones are unchanged.
    """
    with alone(), Rebuild(names, progress) as rebuild:
        rebuild.park(each for rows in quarantine.load().values() for each in rows.values() if not each.is_unknown)
        rebuild.run(dict.fromkeys(rebuild.reached, END))
        count = rebuild.count
        for projector in rebuild.projectors:
            _change_places(rebuild, projector)
    return count


def _change_places(rebuild: Rebuild, projector: Projector) -> None:
    """Swap a rebuilt table in as soon as nobody uses the live one."""
    give_up_at = time.monotonic() + PATIENCE
    reached = rebuild.reached[projector.name]
    wait, longest = WAITS
    while True:
        try:
            _try_to_change_places(rebuild, projector, wait)
        except OperationalError as error:
            rebuild.reached[projector.name] = reached  # the transaction was rolled back
            if not (errors.is_busy(error) or errors.asks_to_try_again(error)):
                raise
            if time.monotonic() >= give_up_at:
                reason = str(error).partition("\n")[0]
                raise TableInUse(f"{projector.model._meta.db_table} is in use: {reason}") from error
        else:
            return
        time.sleep(wait)  # readers that queued behind the swap go first
        wait = min(2 * wait, longest)


def _try_to_change_places(rebuild: Rebuild, projector: Projector, wait: float) -> None:
    """Apply the last events to a rebuilt table and swap it in, in one transaction."""
    until = dict.fromkeys(rebuild.reached, START) | {projector.name: END}
    with connections[READ_SIDE].schema_editor(atomic=True) as editor, connections[READ_SIDE].cursor() as cursor:
        backend = backend_of(READ_SIDE)
        backend.lock_table(cursor, projector.table)  # only an autovacuum may use it
        checkpoints.lock(cursor, [projector.name])
        while rebuild.step(cursor, until):
            pass
        backend.lock_table(cursor, projector.model._meta.db_table, wait)
        _take_place(editor, projector)
        checkpoints.move(cursor, [projector.name], rebuild.reached[projector.name])
        checkpoints.mark_rebuilt(cursor, projector)
        quarantine.clear(cursor, projector.name)
        quarantine.add(cursor, rebuild.parked_rows(projector.name))


def check(names: Iterable[str] = (), *, progress: Progress = lambda count: None) -> list[Difference]:
    """Rebuild the named projections, or all, beside the live tables. Return the differences, and change nothing.

    On PostgreSQL, the comparison reads one database snapshot while the live tables go on. Parked streams are parked in
    both tables.

    Raises:
        engine.UnknownProjection
        ReplayRunning: another process is replaying or checking.
        NotComparable
    """
    with alone(), Rebuild(names, progress) as rebuild:
        rebuild.park(each for rows in quarantine.load().values() for each in rows.values())
        with connections[READ_SIDE].cursor() as cursor:
            reached = _reached(cursor)
        rebuild.run(reached)
        with transaction.atomic(using=READ_SIDE), connections[READ_SIDE].cursor() as cursor:
            backend_of(READ_SIDE).read_one_snapshot(cursor)
            reached = _reached(cursor)
            while rebuild.step(cursor, reached):
                pass
            rebuild.check_parked(quarantine.load())
            return [row for projector in rebuild.projectors for row in _differences(cursor, projector)]


def _reached(cursor: CursorWrapper) -> dict[str, LogPosition]:
    """Return the log position of each projection's checkpoint."""
    cursor.execute("SELECT name, transaction_id, position FROM projections_checkpoint")
    return dict.fromkeys(PROJECTORS, START) | {name: LogPosition(*place) for name, *place in cursor.fetchall()}


def _take_place(editor: Any, projector: Projector) -> None:
    """Swap the rebuilt table in, within the editor's transaction."""
    model = projector.model
    rebuilt = beside(model, projector.index)
    with connections[READ_SIDE].cursor() as cursor:
        live_key = _primary_key_of(cursor, model._meta.db_table)
        editor.delete_model(model)
        editor.alter_db_table(model, rebuilt._meta.db_table, model._meta.db_table)
        there = {each.name: each for each in rebuilt._meta.indexes}
        for index in model._meta.indexes:
            if rebuilt_index := there.get(index.name + SUFFIX):
                editor.rename_index(model, rebuilt_index, index)
            else:
                editor.add_index(model, index)
        if live_key:
            rebuilt_key = _primary_key_of(cursor, model._meta.db_table)
            cursor.execute(f'ALTER INDEX "{rebuilt_key}" RENAME TO "{live_key}"')


def _primary_key_of(cursor: CursorWrapper, table: str) -> str:
    """Return the name of a table's primary key constraint on PostgreSQL. Renaming the table does not rename it."""
    return backend_of(READ_SIDE).primary_key_of(cursor, table)


def _differences(cursor: CursorWrapper, projector: Projector) -> Iterator[Difference]:
    """Yield the rows that differ between the live table and the rebuilt one, the first few of each side."""
    live = projector.model._meta.db_table
    columns = [str(field.column) for field in projector.model._meta.concrete_fields]
    assert projector.model._meta.pk is not None
    key = str(projector.model._meta.pk.column)
    names = ", ".join(columns)

    def only_in(one: str, other: str) -> dict[object, dict[str, object]]:
        cursor.execute(
            f"""SELECT {names} FROM (SELECT {names} FROM {one} EXCEPT SELECT {names} FROM {other}) AS differing
                ORDER BY {key} LIMIT {SHOWN}"""
        )
        rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
        return {row[key]: row for row in rows}

    here, there = only_in(live, projector.table), only_in(projector.table, live)
    for each in sorted({*here, *there}, key=lambda value: (str(type(value)), value)):
        yield Difference(live, each, here.get(each), there.get(each))
