"""Rebuild: each table is built anew beside the live one, by the code that runs live, and then takes its place.

While it is built, the live tables are read and kept up to date as always. Each table changes places in a short
transaction of its own, so the one lock that keeps readers out is held by somebody who waits for no other: there is no
deadlock with a page, whichever tables it reads in whichever order. A rebuild that is broken off leaves nothing that the
next one does not sweep away.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import groupby
from typing import Any, NamedTuple

from django.db import OperationalError, connections, transaction
from django.db.backends.utils import CursorWrapper
from django.db.migrations.state import ModelState, ProjectState
from django.db.models import Model

from eventstore import errors, store
from eventstore.backends import postgresql
from eventstore.events import START, Place
from eventstore.locks import lock

from .. import engine
from ..projectors import PROJECTORS
from ..projectors.base import Changes, Projector
from ..projectors.batches import Batch
from ..routers import READ_SIDE

SUFFIX = "_replay"
END = Place(2**63, 2**63)
BATCHES, SUMS = 5, 20
"""How many live batches go into one transaction of a replay, and how many where all rows can wait.

Either takes a tenth of a second at most, for which the live projections wait.
"""
PAUSE = 0.002
"""Seconds between two batches, in which the live projections get their turn at the database."""
WAITS = (0.1, 1.6)
"""Seconds that a change of tables waits on PostgreSQL for those who read the table, at first and at most.

Whoever comes meanwhile waits behind it, so it begins with a short wait. The longest one is longer than PostgreSQL's
`deadlock_timeout`, after which an autovacuum gives way.
"""
PATIENCE = 60.0
"""Seconds for which the change of one table is tried."""
SHOWN = 20
"""How many differences of a table are shown."""

type Progress = Callable[[int], object]


class ReplayRunning(Exception):
    """Another replay is under way."""


class TableInUse(Exception):
    """Somebody uses a table for so long that the rebuilt one could not take its place."""


class Difference(NamedTuple):
    """A row that differs. `live` or `rebuilt` is None where that table lacks it."""

    table: str
    key: object
    live: dict[str, object] | None
    rebuilt: dict[str, object] | None


def replay(names: Iterable[str] = (), *, progress: Progress = lambda count: None) -> int:
    """Rebuild the named projections, or all, and return how many events went into them before they took their places.

    Raises:
        engine.UnknownProjection
        ReplayRunning: another process replays or checks.
        TableInUse: those before it have been rebuilt, it and those after it are as they were.
    """
    with _alone(), _Rebuild(names, progress) as rebuild:
        rebuild.run(dict.fromkeys(rebuild.places, END))
        count = rebuild.count
        for projector in rebuild.projectors:
            _change_places(rebuild, projector)
    return count


def _change_places(rebuild: "_Rebuild", projector: Projector) -> None:
    """Put a rebuilt table into the place of the live one, as soon as nobody uses that."""
    give_up_at = time.monotonic() + PATIENCE
    reached = rebuild.places[projector.name]
    wait, longest = WAITS
    while True:
        try:
            _try_to_change_places(rebuild, projector, wait)
        except OperationalError as error:
            rebuild.places[projector.name] = reached  # all that came after it is undone
            rebuild.waiting[projector.name].clear()
            if not (errors.is_busy(error) or errors.asks_to_try_again(error)):
                raise
            if time.monotonic() >= give_up_at:
                said = str(error).partition("\n")[0]
                raise TableInUse(f"{projector.model._meta.db_table} is in use: {said}") from error
        else:
            return
        time.sleep(wait)  # those who came meanwhile get on
        wait = min(2 * wait, longest)


def _try_to_change_places(rebuild: "_Rebuild", projector: Projector, wait: float) -> None:
    """Apply the last events to a rebuilt table and put it into the place of the live one, in one transaction."""
    until = dict.fromkeys(rebuild.places, START) | {projector.name: END}
    with connections[READ_SIDE].schema_editor(atomic=True) as editor, connections[READ_SIDE].cursor() as cursor:
        on_server = postgresql.is_postgresql(READ_SIDE)
        if on_server:  # nobody but an autovacuum uses it
            cursor.execute(f"LOCK TABLE {projector.table} IN ACCESS EXCLUSIVE MODE")
        engine.lock_checkpoints(cursor, [projector.name])
        while rebuild.step(cursor, until):
            pass
        if on_server:
            cursor.execute(f"SET LOCAL lock_timeout = {wait * 1000:.0f}")
            cursor.execute(f"LOCK TABLE {projector.model._meta.db_table} IN ACCESS EXCLUSIVE MODE")
        _take_place(editor, projector.model)
        engine.move_checkpoints(cursor, [projector.name], rebuild.places[projector.name])


def check(names: Iterable[str] = (), *, progress: Progress = lambda count: None) -> list[Difference]:
    """Rebuild beside the live tables, compare row by row, change nothing, and return what differs.

    On PostgreSQL all that is compared is of one snapshot, and the live tables go on meanwhile.

    Raises:
        engine.UnknownProjection
        ReplayRunning: another process replays or checks.
    """
    with _alone(), _Rebuild(names, progress) as rebuild:
        with connections[READ_SIDE].cursor() as cursor:
            reached = _reached(cursor)
        rebuild.run(reached)
        with transaction.atomic(using=READ_SIDE), connections[READ_SIDE].cursor() as cursor:
            if postgresql.is_postgresql(READ_SIDE):
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            reached = _reached(cursor)
            while rebuild.step(cursor, reached):
                pass
            return [row for projector in rebuild.projectors for row in _differences(cursor, projector)]


def _reached(cursor: CursorWrapper) -> dict[str, Place]:
    """Return the place of each projection's checkpoint."""
    cursor.execute("SELECT name, transaction_id, position FROM projections_checkpoint")
    return dict.fromkeys(PROJECTORS, START) | {name: Place(*place) for name, *place in cursor.fetchall()}


class _Rebuild:
    """The tables that are being built, and how far each has come."""

    def __init__(self, names: Iterable[str], progress: Progress) -> None:
        self.projectors = engine.projectors(names, SUFFIX)
        self.places: dict[str, Place] = {projector.name: START for projector in self.projectors}
        self.waiting: dict[str, Changes] = {projector.name: {} for projector in self.projectors}
        self.batches = SUMS if all(projector.most_waiting > 1 for projector in self.projectors) else BATCHES
        self.progress = progress
        self.count = 0

    def __enter__(self) -> "_Rebuild":
        self._drop()
        with connections[READ_SIDE].schema_editor() as editor:
            for projector in self.projectors:
                editor.create_model(_beside(projector.model))
        return self

    def __exit__(self, *exception: object) -> None:
        self._drop()

    def _drop(self) -> None:
        with connections[READ_SIDE].cursor() as cursor:
            for projector in self.projectors:
                cursor.execute(f"DROP TABLE IF EXISTS {projector.table}")

    def run(self, until: Mapping[str, Place]) -> None:
        """Go on batch by batch until each projection has reached its place or the end of the log."""
        more = True
        while more:
            with transaction.atomic(using=READ_SIDE), connections[READ_SIDE].cursor() as cursor:
                more = all(self.step(cursor, until) for _ in range(self.batches))
            time.sleep(PAUSE)

    def step(self, cursor: CursorWrapper, until: Mapping[str, Place]) -> bool:
        """Apply the next batch and tell whether there was any; after the last one write what waits."""
        unfinished = [each for each in self.projectors if self.places[each.name] < until[each.name]]
        before = dict(self.places)
        for place, group in groupby(sorted(unfinished, key=self._place), self._place):
            self._apply_next(cursor, place, list(group), until)
        if self.places != before:
            return True
        for projector in self.projectors:
            projector.write(cursor, self.waiting[projector.name])
            self.waiting[projector.name].clear()
        return False

    def _apply_next(
        self, cursor: CursorWrapper, place: Place, group: Sequence[Projector], until: Mapping[str, Place]
    ) -> None:
        with_origins = any(projector.tells_origin for projector in group)
        columns = store.read_columns(place, limit=engine.BATCH, with_origins=with_origins)
        if columns is None:
            return
        batch = Batch(columns)
        for projector in group:
            mine = batch.until(until[projector.name])
            if mine:
                projector.apply(cursor, mine, self.waiting[projector.name])
                self.places[projector.name] = mine.last
        self.count += len(batch)
        self.progress(len(batch))

    def _place(self, projector: Projector) -> Place:
        return self.places[projector.name]


@cache
def _beside(model: type[Model]) -> type[Model]:
    """Return a model of the same shape whose table and indexes have other names."""
    state = ModelState.from_model(model)
    indexes = [index.clone() for index in state.options.get("indexes", [])]
    for index in indexes:
        index.name += SUFFIX
    state.options = {**state.options, "db_table": model._meta.db_table + SUFFIX, "indexes": indexes}
    project = ProjectState()
    project.add_model(state)
    return project.apps.get_model(state.app_label, state.name)


def _take_place(editor: Any, model: type[Model]) -> None:
    """Put the rebuilt table into the live one's place, within the editor's transaction."""
    beside = _beside(model)
    with connections[READ_SIDE].cursor() as cursor:
        live_key = _primary_key_of(cursor, model._meta.db_table)
        editor.delete_model(model)
        editor.alter_db_table(model, beside._meta.db_table, model._meta.db_table)
        for old, new in zip(beside._meta.indexes, model._meta.indexes, strict=True):
            editor.rename_index(model, old, new)
        if live_key:
            rebuilt_key = _primary_key_of(cursor, model._meta.db_table)
            cursor.execute(f'ALTER INDEX "{rebuilt_key}" RENAME TO "{live_key}"')


def _primary_key_of(cursor: CursorWrapper, table: str) -> str:
    """Return the name of a table's primary key on PostgreSQL, which keeps it when the table gets another."""
    if connections[READ_SIDE].vendor == "sqlite":
        return ""
    cursor.execute("SELECT conname FROM pg_constraint WHERE contype = 'p' AND conrelid = to_regclass(%s)", [table])
    return str(cursor.fetchone()[0])


def _differences(cursor: CursorWrapper, projector: Projector) -> Iterator[Difference]:
    """Yield the rows of the live table and the rebuilt one that are not the same, the first few of each side."""
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


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock that only one replay or check can hold; it goes with the process, however that ends."""
    with lock(READ_SIDE, "replay", wait=False) as is_mine:
        if not is_mine:
            raise ReplayRunning("A replay is running already.")
        yield
