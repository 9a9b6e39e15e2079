"""A hand on every statement that this thread sends to a database: to look, to let others in between, or to die there.

Django's `execute_wrapper` sees all statements but the commit, so that is watched beside it. A thread that dies at a
statement is dead as a killed process is: what was under way is rolled back, and no statement of its goes through any
more, no clean-up and no commit.
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
    """The process is dead. No `except Exception` catches it, just as none runs in a killed process."""


def ignore(connection: BaseDatabaseWrapper, statement: str) -> None:
    """Watch and do nothing."""


def give_up(connection: BaseDatabaseWrapper, statement: str, error: OperationalError) -> bool:
    """Let an error take its course."""
    return False


@contextmanager
def watched(*, before: Watcher = ignore, after: Watcher = ignore, again: Again = give_up) -> Iterator[None]:
    """Call the watchers before and after each statement of this thread, on every database, commits included.

    Args:
        again: tells of a statement that failed whether to send it once more.
    """
    watched = connections.all()
    for connection in watched:
        _watch(connection, before, after, again)
    try:
        yield
    finally:
        for connection in watched:
            connection.execute_wrappers.pop()
            del cast(Any, connection)._commit  # the class's own is back


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
    """Watches, and after the n-th statement kills whoever sent it; n counts from 1, and 0 kills nobody."""

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
        """Break off what is under way, as a database does when a process has ended, and leave by way of `Crash`."""
        self.is_dead = True
        for connection in connections.all(initialized_only=True):
            if connection.connection is not None:
                connection.connection.rollback()
        raise Crash(f"killed after {where}")


@contextmanager
def mortal(death: Death, again: Again = give_up) -> Iterator[Death]:
    """Run the block as a process that dies where `death` says; what was killed ends quietly."""
    try:
        with watched(before=death.before, after=death.after, again=again):
            yield death
    except Crash:
        pass
    finally:
        if death.is_dead:
            forget_connections()


def forget_connections() -> None:
    """Close the connections of a dead process, with nothing of Django's that might still be said on them."""
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None:
            connection.connection.close()
        connection.in_atomic_block = False
        connection.savepoint_ids = []
        connection.atomic_blocks = []
        connection.needs_rollback = False
        connection.closed_in_transaction = False
        with suppress(Exception):  # a backend that has something to say at the end finds nobody there
            connection.close()
