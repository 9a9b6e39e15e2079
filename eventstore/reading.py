"""Reading much of a database, as it was at one moment, while others go on writing."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connections, transaction

ROWS = 1000
"""How many rows are in memory at a time."""


@contextmanager
def one_moment(alias: str) -> Iterator[None]:
    """Within the block, show this thread the database as it is at its first query. No writer waits for it."""
    connection = connections[alias]
    if connection.vendor == "postgresql":
        with transaction.atomic(using=alias), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
        return
    # Not `atomic`: that would begin as a writer, and nobody else could write until the end.
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def rows_of(alias: str, statement: str, values: Sequence[Any] = ()) -> Iterator[Sequence[Any]]:
    """Yield the rows of a query as they come, a few at a time in memory; on PostgreSQL within a transaction only."""
    with connections[alias].chunked_cursor() as cursor:
        cursor.execute(statement, values)
        while rows := cursor.fetchmany(ROWS):
            yield from rows
