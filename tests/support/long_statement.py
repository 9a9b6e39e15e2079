"""An account with many lines, written straight into the tables of the read side."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from django.db import connections

from eventstore.backends import backend_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def add_lines(account_id: int, count: int, first: int = 1, refused: int = 0) -> None:
    """Add lines of 5 cents in and refusals, of versions from `first` on: one a minute from noon on, refusals last."""
    adapt = backend_of("projections").adapt
    tables = ("statementline (kind, amount", count), ("refusedwithdrawal (reason, amount_requested", refused)
    with connections["projections"].cursor() as cursor:
        for table, lines in tables:
            rows = [
                (
                    "deposit" if lines is count else "invalid_pin",
                    5,
                    5 * version,
                    10**9 * account_id + version,
                    account_id,
                    version,
                    adapt(NOON + timedelta(minutes=version)),
                    "tina",
                    adapt(uuid4()),
                )
                for version in range(first, first + lines)
            ]
            cursor.executemany(
                f"INSERT INTO projections_{table}, balance, position, account_id, version, recorded_at, actor,"
                " command_id) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                rows,
            )
            first += lines
