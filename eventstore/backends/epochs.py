"""Epochs: transaction ids go on rising when the log moves to a PostgreSQL server with lower ids."""

from typing import Any
from weakref import WeakSet

from django.db.backends.base.base import BaseDatabaseWrapper

from . import WRITE_SIDE

MARGIN = 2**40
"""The gap between the log's last transaction id and the first one on the new server.

A read side may know events of the old server that the copy lacks. Their ids are lower than any new id, so new events
are not taken for them.
"""

_checked: WeakSet[Any] = WeakSet()


def begin_epoch_if_restored(sender: Any, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Begin an epoch if the log was restored on another server; see `models.Epoch`.

    This receiver of `connection_created` runs one query for each new connection. It also looks at rejected commands,
    because signed heads cover them in the order of their transaction ids.
    """
    if connection.alias != WRITE_SIDE or connection.vendor != "postgresql" or connection.connection in _checked:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attname = 'transaction_id'
               AND attrelid = to_regclass('eventstore_commandrecord'))"""
        )
        if not cursor.fetchone()[0]:  # not migrated yet: the epochs table is older than this column
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
