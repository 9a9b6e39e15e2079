"""Locks that one process of the whole system can hold. They go with the process, however that ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections

from . import private_files
from .backends import postgresql


@contextmanager
def lock(alias: str, name: str, *, wait: bool) -> Iterator[bool]:
    """Hold a lock by its name, beside a database; tell whether it was to be had.

    Args:
        alias: the database by which the processes know of one another.
        wait: whether to wait until it is to be had.

    Raises:
        django.db.OperationalError: the database does not answer.
    """
    held = _on_server(alias, name, wait) if postgresql.is_postgresql(alias) else _on_file(alias, name, wait)
    with held as is_held:
        yield is_held


@contextmanager
def _on_server(alias: str, name: str, wait: bool) -> Iterator[bool]:
    # It lives in a transaction that writes nothing, so it holds no reader back, and works through a pooler as well.
    take = "pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock"
    with postgresql.connect(alias) as connection, connection.transaction():
        answer = connection.execute(f"SELECT {take}(hashtextextended(%s, 0))", [name]).fetchone()
        yield wait or bool(answer[0])


@contextmanager
def _on_file(alias: str, name: str, wait: bool) -> Iterator[bool]:
    path = f"{connections[alias].settings_dict['NAME']}.{name}.lock"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, private_files.FILE), "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
