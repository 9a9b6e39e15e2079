"""The backends: everything that differs between SQLite and PostgreSQL, behind one small interface.

Only `backend_of` chooses one. Nothing above this package knows the kind of database.
"""

from functools import cache

from django.db import connections

from .base import Backend

WRITE_SIDE = "default"
"""The alias of the database that holds the log."""


def backend_of(alias: str = WRITE_SIDE) -> Backend:
    """Return the backend of a database."""
    return _backend(alias, connections.settings[alias]["ENGINE"])


@cache
def _backend(alias: str, engine: str) -> Backend:
    if "postgresql" in engine:
        from .postgresql import PostgreSQL  # only PostgreSQL needs psycopg

        return PostgreSQL(alias)
    from .sqlite import SQLite

    return SQLite(alias)
