"""The rebuild of tables beside the live ones, with the live projectors. A replay swaps them in, a check compares them.

An interrupted rebuild leaves only tables that the next one removes.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from itertools import groupby

from django.db import connections
from django.db.backends.utils import CursorWrapper
from django.db.migrations.state import ModelState, ProjectState
from django.db.models import Model

from eventstore import store
from eventstore.backends import backend_of
from eventstore.events import START, LogPosition

from .. import engine, quarantine
from ..checkpoint_models import ParkedStream
from ..projectors.base import Projector
from ..routers import READ_SIDE

SUFFIX = "_replay"
BATCH = 5000
"""The largest number of events that one transaction of a replay applies, in about a tenth of a second.

The live projections wait for that transaction.
"""
PAUSE = 0.002
"""Seconds between two batches, in which the live projections can use the database."""
SHOWN = 20
"""The largest number of differences shown for a table."""

type Progress = Callable[[int], object]


class ReplayRunning(Exception):
    """Another replay is running."""


class NotComparable(Exception):
    """The live and the rebuilt table lack different events, because another process parked or resumed streams."""


class Rebuild:
    """The tables of a rebuild, and the log position that each has reached."""

    def __init__(self, names: Iterable[str], progress: Progress) -> None:
        self.projectors = engine.projectors(names, SUFFIX)
        self.reached: dict[str, LogPosition] = {projector.name: START for projector in self.projectors}
        self.parked: quarantine.Parked = {projector.name: {} for projector in self.projectors}
        self.progress = progress
        self.count = 0

    def __enter__(self) -> "Rebuild":
        self._drop()
        with connections[READ_SIDE].schema_editor() as editor:
            for projector in self.projectors:
                editor.create_model(beside(projector.model, projector.index))
        return self

    def __exit__(self, *exception: object) -> None:
        self._drop()

    def _drop(self) -> None:
        with connections[READ_SIDE].cursor() as cursor:
            for projector in self.projectors:
                cursor.execute(f"DROP TABLE IF EXISTS {projector.table}")

    def run(self, until: Mapping[str, LogPosition]) -> None:
        """Apply batches until each projection has reached its log position, or is near the end of the log."""
        applied = BATCH
        while applied == BATCH:  # a smaller batch is near the end, however fast writers append
            with backend_of(READ_SIDE).transaction() as cursor:
                applied = self.step(cursor, until)
            time.sleep(PAUSE)

    def step(self, cursor: CursorWrapper, until: Mapping[str, LogPosition]) -> int:
        """Apply the next batch to each projection. Return the largest number of events in it."""
        most = 0
        unfinished = [each for each in self.projectors if self.reached[each.name] < until[each.name]]
        for position, group in groupby(sorted(unfinished, key=self._reached), self._reached):
            events = store.read_all(position, limit=BATCH)
            batch, faults = quarantine.decoded(events)
            for projector in group:
                last, name = until[projector.name], projector.name
                is_whole = not events or events[-1].log_position <= last
                due = events if is_whole else [each for each in events if each.log_position <= last]
                if due:
                    due_batch = batch if is_whole else [pair for pair in batch if pair[1].log_position <= last]
                    projector.apply(cursor, quarantine.without(due_batch, self.parked[name]))
                    self.park(
                        quarantine.row_of(name, event, error, is_unknown=True)
                        for event, error in faults
                        if event.log_position <= last
                    )
                    self.reached[name] = due[-1].log_position
                    most = max(most, len(due))
            self.count += len(events)
            self.progress(len(events))
        return most

    def park(self, rows: Iterable[ParkedStream]) -> None:
        """Skip streams from a version on, unless they are skipped already."""
        for row in rows:
            if row.projection in self.parked:
                self.parked[row.projection].setdefault(row.stream, row)

    def parked_rows(self, name: str) -> list[ParkedStream]:
        """Return new rows for the streams that a rebuilt table lacks."""
        rows = list(self.parked[name].values())
        for row in rows:
            row.pk, row._state.adding = None, True
        return rows

    def check_parked(self, live: quarantine.Parked) -> None:
        """Raise NotComparable unless the live tables lack the same events."""
        for name, rows in self.parked.items():
            here = {stream: row.version for stream, row in rows.items()}
            there = {stream: row.version for stream, row in live.get(name, {}).items()}
            if differing := sorted(dict(here.items() ^ there.items())):
                raise NotComparable(
                    f"{name} cannot be compared: another process or another version of the program parks or resumes "
                    f"{', '.join(differing[:SHOWN])}"
                )

    def _reached(self, projector: Projector) -> LogPosition:
        return self.reached[projector.name]


def beside(model: type[Model], needed: str) -> type[Model]:
    """Return a model of the same shape with other names for the table and its indexes.

    SQLite cannot rename an index, so the swap builds each anew there. Until then, the table has only the `needed` one.
    """
    can_rename = connections[READ_SIDE].features.can_rename_index
    return _beside(model, tuple(each.name for each in model._meta.indexes if can_rename or each.name == needed))


@cache
def _beside(model: type[Model], index_names: tuple[str, ...]) -> type[Model]:
    state = ModelState.from_model(model)
    indexes = [each.clone() for each in model._meta.indexes if each.name in index_names]
    for index in indexes:
        index.name += SUFFIX
    state.options = {**state.options, "db_table": model._meta.db_table + SUFFIX, "indexes": indexes}
    project = ProjectState()
    project.add_model(state)
    return project.apps.get_model(state.app_label, state.name)


@contextmanager
def alone() -> Iterator[None]:
    """Hold the lock that only one replay or check can hold. It ends with the process."""
    with backend_of(READ_SIDE).process_lock("replay", wait=False) as is_mine:
        if not is_mine:
            raise ReplayRunning("A replay is running already.")
        yield
