"""A transaction of a command or of a batch of events, at half the price of `transaction.atomic`.

From BEGIN to COMMIT Django goes through some two hundred calls, which take as long as what is written in between. Here
the same is done by hand for the plain case: nothing is under way on the connection and nobody watches its statements.
"""

from typing import TYPE_CHECKING, Any

from django.db import Error
from django.db.backends.utils import CursorWrapper

if TYPE_CHECKING:
    from .base import DatabaseWrapper


class WriteTransaction:
    """What `transaction.atomic(durable=True, savepoint=False)` is, with a cursor. Other atomic blocks nest within."""

    __slots__ = ("_connection",)
    _from_testcase = False  # Django asks that of an atomic block that is under way

    def __init__(self, connection: "DatabaseWrapper") -> None:
        self._connection = connection

    def __enter__(self) -> CursorWrapper:
        connection = self._connection
        cursor = connection.begin_at_once()
        connection.commit_on_exit, connection.needs_rollback = True, False
        connection.in_atomic_block = True
        connection.atomic_blocks.append(self)  # type: ignore[arg-type]
        return cursor  # type: ignore[return-value]  # of Django's it is as much as is used here

    def __exit__(self, kind: type[BaseException] | None, *rest: Any) -> None:
        connection = self._connection
        connection.atomic_blocks.pop()
        connection.in_atomic_block = False
        if kind is not None or connection.needs_rollback:
            self._roll_back()
            return
        try:
            connection.commit_at_once()
        except Error:
            self._roll_back()
            raise
        if connection.run_on_commit:
            connection.run_and_clear_commit_hooks()

    def _roll_back(self) -> None:
        connection = self._connection
        if connection.closed_in_transaction:
            connection.connection = None
            return
        connection.needs_rollback = False
        try:
            connection.rollback()
        except Error:
            connection.close()
