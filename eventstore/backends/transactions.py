"""The transactions in which events are appended and applied."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from ..sqlite.base import DatabaseWrapper as OurSQLite


def writing(connection: BaseDatabaseWrapper, *, durable: bool = True) -> AbstractContextManager[CursorWrapper]:
    """Return a transaction with a cursor for it.

    Args:
        durable: what is written is committed at the end of the block, which then can be part of no other transaction.
    """
    own = connection.write_transaction() if isinstance(connection, OurSQLite) else None
    return own or _atomic(connection, durable)


@contextmanager
def _atomic(connection: BaseDatabaseWrapper, durable: bool) -> Iterator[CursorWrapper]:
    with transaction.atomic(using=connection.alias, durable=durable, savepoint=False), connection.cursor() as cursor:
        yield cursor
