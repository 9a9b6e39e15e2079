"""Epochs: the log's transaction ids go on rising when it moves to a PostgreSQL server whose own ids are lower."""

from typing import Any
from weakref import WeakSet

from django.db.backends.base.base import BaseDatabaseWrapper

from . import WRITE_SIDE

MARGIN = 2**40
"""The gap between the last transaction id of the log and the first one on the new server.

A read side may have seen events that were appended on the old server after the copy was taken, and are lost. Their
ids are lower than any new one, so new events are not taken for old ones.
"""

_checked: WeakSet[Any] = WeakSet()


def begin_epoch_if_restored(sender: Any, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Begin an epoch where the log was restored on another server; see `models.Epoch`.

    It receives `connection_created` and asks the database once for each new connection. Rejected commands have no
    events, but signed heads cover them in the order of their transaction ids.
    """
    if connection.alias != WRITE_SIDE or connection.vendor != "postgresql" or connection.connection in _checked:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attname = 'transaction_id'
               AND attrelid = to_regclass('eventstore_commandrecord'))"""
        )
        if not cursor.fetchone()[0]:  # not migrated yet: the table of epochs is older than this column
            return
        cursor.execute(
            """INSERT INTO eventstore_epoch (number, shift, began_at)
               SELECT (SELECT COALESCE(MAX(number), 0) + 1 FROM eventstore_epoch), log.last + %s, now()
               FROM (SELECT MAX(transaction_id) AS last FROM (
                   SELECT MAX(transaction_id) AS transaction_id FROM eventstore_event
                   UNION ALL (SELECT transaction_id FROM eventstore_commandrecord WHERE outcome = 'rejected'
                              ORDER BY received_at DESC LIMIT 100)
               ) AS recorded) AS log
               WHERE log.last >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint + eventstore_shift()
               ON CONFLICT (number) DO NOTHING""",
            [MARGIN],
        )
    _checked.add(connection.connection)
