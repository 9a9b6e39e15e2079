"""What differs between SQLite and PostgreSQL, behind one small interface.

`backend_of` is the one place that chooses. Nothing above this package asks which database it is.
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
        from .postgresql import PostgreSQL  # psycopg is needed only there

        return PostgreSQL(alias)
    from .sqlite import SQLite

    return SQLite(alias)
