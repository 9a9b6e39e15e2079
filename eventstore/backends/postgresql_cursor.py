"""A cursor whose statements PostgreSQL keeps prepared."""

import sys
from typing import Any

import psycopg
from psycopg.types.numeric import Int8Dumper


class PreparingCursor(psycopg.Cursor[Any]):
    """Cursor with statements that the server keeps prepared, on a direct connection to the server.

    Behind a pooler, the next transaction may use another connection, so nothing is prepared there.
    """

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        return super().execute(query, params, prepare=prepares(self.connection) or None)


def prepares(driver: Any) -> bool:
    """Return whether a connection goes to the server directly. A pooler reports a process id of its own."""
    if not hasattr(driver, "is_direct"):
        driver.adapters.register_dumper(
            int, Int8Dumper
        )  # one type for all integers, or each type prepares its own statement
        [process] = psycopg.Cursor(driver).execute("SELECT pg_backend_pid()").fetchone() or [0]
        driver.is_direct = process == driver.info.backend_pid
        if driver.is_direct:
            driver.prepare_threshold = sys.maxsize  # None would prepare nothing, a smaller number every statement
    return bool(driver.is_direct)
