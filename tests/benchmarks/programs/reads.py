"""The bank's read side: replays, the same rows through the bare driver, and the cost of a page in this process.

fill FIRST COUNT EVENTS             as in `protocol.py`; also creates a teller            -> ready
measure replay [NAME ...]           replay projections                                    -> events a second
measure verify                      verify the whole record                               -> events a second
measure write                       write the live rows into other tables with it         -> events a second
measure memory                      the peak memory of this process                       -> MB
measure page PATH COUNT             fetch a page through the WSGI application             -> seconds each
measure deposit FIRST COUNT STEP    make deposits at accounts FIRST, FIRST + STEP, ...    -> seconds each
"""

import resource
import sqlite3
import sys
import time
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import django

django.setup()

from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connections
from django.test import Client

from bank.application.dispatch import handle
from bank.domain.commands import DepositMoneyIntoBankAccount
from bank.operations import roles
from bank.operations.audit import audit
from bank.wsgi import application
from eventstore import store
from projections import engine
from projections.projectors import PROJECTORS
from projections.workers import replay
from projections.workers.rebuild import BATCH
from tests.benchmarks import data
from tests.benchmarks.programs.protocol import AMOUNT

NAME, EMPTY = "teller", "/healthz"


def fill(accounts: range, events: int) -> None:
    data.write(data.business(accounts, events))
    engine.catch_up()
    call_command("collectstatic", verbosity=0, interactive=False)
    roles.make_groups()
    user = User.objects.create_user(NAME)
    user.groups.add(Group.objects.get(name="Tellers"))


def measure(what: str, *words: str) -> float:
    match what:
        case "replay":
            return _rate(lambda: replay.replay(words))
        case "verify":
            return _rate(_verify)
        case "write":
            return store.count_events() / _write_raw()
        case "memory":
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        case "page":
            path, count = words
            return _page(path, int(count))
        case "deposit":
            first, number, step = map(int, words)
            return _deposit([first + step * each for each in range(number)])
    raise ValueError(what)


def _rate(work: Any) -> float:
    events = store.count_events()
    started = time.perf_counter()
    work()
    return events / (time.perf_counter() - started)


def _verify() -> None:
    assert audit().findings == []


def _file(alias: str) -> str:
    return str(connections[alias].settings_dict["NAME"])


def _write_raw() -> float:
    """Write every row of the read side into a new file with the same tables. Return the seconds of the writing.

    It has the settings of the read side, and transactions as large as a replay's, so it syncs as often. Each row is
    written once, as it is at the end. The indexes exist from the beginning, as those of the live tables.
    """
    path = Path(_file("projections") + "-bare")
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()
    seconds = 0.0
    live, other = sqlite3.connect(_file("projections")), sqlite3.connect(path, isolation_level=None)
    with closing(live), closing(other):
        other.executescript(connections["projections"].settings_dict["OPTIONS"]["init_command"])
        for projector in PROJECTORS.values():
            table = projector.model._meta.db_table
            for (sql,) in live.execute("SELECT sql FROM sqlite_schema WHERE tbl_name = ? AND sql NOT NULL", [table]):
                other.execute(sql)
            cursor = live.execute(f"SELECT * FROM {table}")
            insert = f"INSERT INTO {table} VALUES ({', '.join('?' * len(cursor.description))})"
            while rows := cursor.fetchmany(BATCH):
                started = time.perf_counter()
                other.execute("BEGIN IMMEDIATE")
                other.executemany(insert, rows)
                other.execute("COMMIT")
                seconds += time.perf_counter() - started
    return seconds


def _page(path: str, count: int) -> float:
    cookie = "" if path == EMPTY else _cookie()
    _fetch(path, cookie)
    started = time.perf_counter()
    for _ in range(count):
        _fetch(path, cookie)
    return (time.perf_counter() - started) / count


def _deposit(accounts: list[int]) -> float:
    started = time.perf_counter()
    for account_id in accounts:
        handle(DepositMoneyIntoBankAccount(account_id, AMOUNT), actor=NAME)
    return (time.perf_counter() - started) / len(accounts)


def _cookie() -> str:
    client = Client()
    client.force_login(User.objects.get(username=NAME))
    client.get("/accounts/open/", headers={"host": "localhost"})  # a form's token
    return "; ".join(f"{name}={each.value}" for name, each in client.cookies.items())


def _fetch(address: str, cookie: str) -> None:
    path, _, question = address.partition("?")
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": question, "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "localhost", "HTTP_COOKIE": cookie,
        "REMOTE_ADDR": "127.0.0.1", "wsgi.input": BytesIO(), "wsgi.errors": sys.stderr, "wsgi.url_scheme": "http",
    }  # fmt: skip
    statuses = []
    answer: Any = application(environ, lambda status, headers, *_: statuses.append(status))
    list(answer)
    answer.close()
    assert statuses == ["200 OK"], statuses


def main() -> None:
    for line in sys.stdin:
        order, *words = line.split()
        if order == "fill":
            first, count, events = map(int, words)
            fill(range(first, first + count), events)
            print("ready", flush=True)
        else:
            print(measure(*words), flush=True)


if __name__ == "__main__":
    main()
