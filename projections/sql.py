"""Reading with plain SQL, because the ORM takes ten times as long to build a statement as the database to run it.

The functions also remove the differences between SQLite's and PostgreSQL's types.
"""

from typing import Any
from uuid import UUID

from django.db import connections

from eventstore.rows import utc as utc

from .replicas import reading_from


def rows(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a statement, from the database that this request reads."""
    with connections[reading_from()].cursor() as cursor:
        cursor.execute(statement, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def uuid(value: Any) -> UUID:
    """Return a UUID. SQLite returns it as text."""
    return value if isinstance(value, UUID) else UUID(int=int(value, 16))
