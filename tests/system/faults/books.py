"""Comparison of a bank's record with the answers that tellers received, in plain SQL on either database."""

import json
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from tests.support.load import Task
from tests.support.postgres import execute

EVENTS = "SELECT command_id, stream, version, data, recorded_at FROM eventstore_event ORDER BY position"
COMMANDS = "SELECT id FROM eventstore_commandrecord"


class Recorded(NamedTuple):
    """One event with the values that a teller's task determines. `cents` is None if it moves no money."""

    command_id: UUID
    stream: str
    version: int
    cents: int | None
    at: datetime


class Verdict(NamedTuple):
    """The number of faults of each kind; every figure must be 0."""

    lost: int
    """Commands that were acknowledged and have no event or no command record."""
    doubled: int
    """Commands with more than one event or record."""
    unknown: int
    """Events and records that belong to no acknowledged command, though each was repeated until it was."""
    other: int
    """Events with another account or another amount than what was sent."""
    gaps: int
    """Accounts whose versions are not 1, 2, 3 and so on."""


class Books:
    """The write side of a bank.

    Args:
        place: the URL of its PostgreSQL database, or the path of its SQLite file.
    """

    def __init__(self, log_position: str | Path) -> None:
        self.log_position = log_position

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        if isinstance(self.log_position, str):
            return execute(self.log_position, sql)
        with closing(sqlite3.connect(self.log_position)) as connection:
            return connection.execute(sql).fetchall()

    def events(self) -> list[Recorded]:
        return [
            Recorded(UUID(str(command)), stream, version, _cents(data), _moment(at))
            for command, stream, version, data, at in self.rows(EVENTS)
        ]

    def judge(self, tasks: list[Task]) -> Verdict:
        """Compare the record with tasks that were all acknowledged."""
        acknowledged = {task.command_id: task for task in tasks}
        events, records = self.events(), [UUID(str(row[0])) for row in self.rows(COMMANDS)]
        counts = Counter(event.command_id for event in events)
        versions = defaultdict(list)
        for event in events:
            versions[event.stream].append(event.version)
        return Verdict(
            lost=len(acknowledged.keys() - (counts.keys() & set(records))),
            doubled=sum(count > 1 for count in counts.values()) + len(records) - len(set(records)),
            unknown=len((counts.keys() | set(records)) - acknowledged.keys()),
            other=sum(
                not _is_of(event, acknowledged[event.command_id])
                for event in events
                if event.command_id in acknowledged
            ),
            gaps=sum(each != list(range(1, len(each) + 1)) for each in versions.values()),
        )


def _is_of(event: Recorded, task: Task) -> bool:
    """Return whether an event is the result of a task, executed or refused."""
    account_id = task.fields.get("account_id") or task.path.split("/")[2]
    cents = round(float(task.fields["amount"]) * 100) if "amount" in task.fields else None
    return event.stream == f"bank_account-{account_id}" and event.cents == cents


def _cents(data: Any) -> int | None:
    found = json.loads(data) if isinstance(data, str) else data
    cents: int | None = found.get("amount", found.get("amount_requested"))
    return cents


def _moment(at: datetime | str) -> datetime:
    return at if isinstance(at, datetime) else datetime.fromisoformat(at).replace(tzinfo=UTC)
