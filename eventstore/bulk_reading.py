"""Reading of whole tables, with a few rows in memory at a time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import Any

from django.db import OperationalError, connections

ROWS = 1000
"""The largest number of rows in memory."""


def rows_of(alias: str, statement: str, values: Sequence[Any] = ()) -> Iterator[Sequence[Any]]:
    """Yield the rows of a query. Call it within `Backend.one_moment` only.

    On SQLite, text that is not UTF-8 has lone surrogates in place of the invalid bytes.
    """
    count = 0
    try:
        for row in _rows_of(alias, statement, values):
            yield row
            count += 1
    except OperationalError:
        if connections[alias].vendor != "sqlite":
            raise
        # SQLite's driver stops at text that is not UTF-8. Lenient decoding is slower, so only this retry uses it. Any
        # other error is raised again.
        with _any_text(alias):
            yield from islice(_rows_of(alias, statement, values), count, None)


@contextmanager
def _any_text(alias: str) -> Iterator[None]:
    driver = connections[alias].connection
    before, driver.text_factory = driver.text_factory, partial(str, encoding="utf-8", errors="surrogateescape")
    try:
        yield
    finally:
        driver.text_factory = before


def _rows_of(alias: str, statement: str, values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    with connections[alias].chunked_cursor() as cursor:
        cursor.execute(statement, values)
        while rows := cursor.fetchmany(ROWS):
            yield from rows
