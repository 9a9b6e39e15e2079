"""Control of every statement that this thread sends to a database: watch it, run others in between, or die there.

Django's `execute_wrapper` sees all statements except the commit, so the commit is watched separately. A thread that
dies at a statement behaves like a killed process: its transaction is rolled back, and no later statement of it runs, no
clean-up and no commit.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

type Watcher = Callable[[BaseDatabaseWrapper, str], None]
type Again = Callable[[BaseDatabaseWrapper, str, OperationalError], bool]

COMMIT = "COMMIT"


class Crash(BaseException):
    """The process is dead. No `except Exception` catches this, as none runs in a killed process."""


def ignore(connection: BaseDatabaseWrapper, statement: str) -> None:
    """Do nothing."""


def give_up(connection: BaseDatabaseWrapper, statement: str, error: OperationalError) -> bool:
    """Let an error propagate."""
    return False


@contextmanager
def watched(*, before: Watcher = ignore, after: Watcher = ignore, again: Again = give_up) -> Iterator[None]:
    """Call the watchers before and after each statement of this thread, on all databases, including commits.

    Args:
        again: returns whether to repeat a statement that failed.
    """
    watched = connections.all()
    for connection in watched:
        _watch(connection, before, after, again)
    try:
        yield
    finally:
        for connection in watched:
            connection.execute_wrappers.pop()
            del cast(Any, connection)._commit  # restores the class's method


def _watch(connection: Any, before: Watcher, after: Watcher, again: Again) -> None:
    commit = connection._commit

    def around_statement(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        while True:
            before(connection, sql)
            try:
                result = execute(sql, *arguments)
            except OperationalError as error:
                if not again(connection, sql, error):
                    raise
            else:
                after(connection, sql)
                return result

    def around_commit() -> None:
        before(connection, COMMIT)
        commit()
        after(connection, COMMIT)

    connection.execute_wrappers.append(around_statement)
    connection._commit = around_commit


class Death:
    """Watches statements, and kills the sender after the n-th one. n counts from 1; 0 kills nobody."""

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self.statements: list[str] = []
        self.is_dead = False

    def before(self, connection: BaseDatabaseWrapper, statement: str) -> None:
        if self.is_dead:
            raise Crash(f"dead already, before {statement}")

    def after(self, connection: BaseDatabaseWrapper, statement: str) -> None:
        self.statements.append(statement)
        if len(self.statements) == self.number:
            self.die(statement)

    def die(self, where: str) -> None:
        """Abort the transaction, as a database does when a client process ends, and raise `Crash`."""
        self.is_dead = True
        for connection in connections.all(initialized_only=True):
            if connection.connection is not None:
                connection.connection.rollback()
        raise Crash(f"killed after {where}")


@contextmanager
def mortal(death: Death, again: Again = give_up) -> Iterator[Death]:
    """Run the block as a process that dies where `death` says. A killed block ends without an error."""
    try:
        with watched(before=death.before, after=death.after, again=again):
            yield death
    except Crash:
        pass
    finally:
        if death.is_dead:
            forget_connections()


def forget_connections() -> None:
    """Close the connections of a dead process without any of Django's closing statements."""
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None:
            connection.connection.close()
        connection.in_atomic_block = False
        connection.savepoint_ids = []
        connection.atomic_blocks = []
        connection.needs_rollback = False
        connection.closed_in_transaction = False
        with suppress(Exception):  # the backend's last message fails, because the socket is closed
            connection.close()
