"""Reading in plain SQL: the ORM takes ten times as long to write a statement as it takes to be executed.

Types in which SQLite and PostgreSQL differ are made one here.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connections

from .replicas import reading_from


def rows(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a statement, from the database that this request reads."""
    with connections[reading_from()].cursor() as cursor:
        cursor.execute(statement, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def uuid(value: Any) -> UUID:
    """Return the id that PostgreSQL gives as such and SQLite as text."""
    return value if isinstance(value, UUID) else UUID(int=int(value, 16))


def utc(moment: datetime) -> datetime:
    """Return the moment that PostgreSQL gives with a time zone and SQLite without."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
