"""The upper limit: the driver alone, writing the rows of a deposit.

Loading, deciding and hashing are prepared, and not timed. With `BENCH_BOTH` the read side's rows are written too. The
result is a valid bank: the chains hold and no projection differs.
"""

import os
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import uuid4

import django

django.setup()

import psycopg
from django.db import connections

from bank.application import account_cache, pins, repository
from bank.domain.commands import DepositMoneyIntoBankAccount
from bank.domain.events import MoneyDepositedIntoBankAccount, encode
from bank.domain.streams import stream_of
from eventstore import seals, snapshots
from eventstore.chain import canonical, command_text, event_hash
from eventstore.events import Envelope
from projections import engine
from tests.benchmarks import data
from tests.benchmarks.programs.protocol import AMOUNT, serve

EVENT = """INSERT INTO eventstore_event
    (stream, version, type, schema_version, data, metadata, command_id, recorded_at, hash)
    VALUES (%s, %s, %s, 1, %s, %s, %s, %s, %s)"""
COMMAND = """INSERT INTO eventstore_commandrecord
    (id, name, actor, received_at, outcome, reason, message, stream, version, event_count, fingerprint, seal,
     position)
    VALUES (%s, 'deposit_money_into_bank_account', 'teller', %s, 'accepted', '', '', %s, %s, 1, %s, %s, %s)"""
SUMMARY = """UPDATE projections_accountsummary SET balance = balance + %s, version = %s, last_event_at = %s
    WHERE account_id = %s"""
LINE = """INSERT INTO projections_statementline
    (account_id, kind, amount, balance, version, recorded_at, actor, command_id, position)
    VALUES (%s, 'deposit', %s, %s, %s, %s, 'teller', %s, %s)"""
TOTALS = "UPDATE projections_banktotals SET balance = balance + %s, paid_in = paid_in + %s WHERE id = 1"
DAILY = """INSERT INTO projections_dailytotals AS daily
    (day, accounts_opened, deposits, paid_in, withdrawals, paid_out, refusals) VALUES (%s, 0, 1, %s, 0, 0, 0)
    ON CONFLICT (day) DO UPDATE SET deposits = daily.deposits + 1, paid_in = daily.paid_in + excluded.paid_in"""
CHECKPOINT = """UPDATE projections_checkpoint SET position = %s, transaction_id = %s, updated_at = %s, error = '',
    failed_position = NULL, failed_at = NULL"""


class Prepared(NamedTuple):
    """The values of one deposit's rows. The values from the database come last."""

    event: tuple[Any, ...]
    command: tuple[Any, ...]
    summary: tuple[Any, ...]
    line: tuple[Any, ...]
    day: str
    moment: Any


class Bare:
    def __init__(self, *, both: bool) -> None:
        self.both = both
        self.sides = [driver(alias) for alias in (("default", "projections") if both else ("default",))]

    def close(self) -> None:
        for side in self.sides:
            side.connection.close()

    def fill(self, accounts: range, events: int) -> None:
        data.write(data.business(accounts, events))
        engine.catch_up()

    def prepare(self, accounts: Sequence[int]) -> Callable[[], object]:
        prepared = [prepare(account_id) for account_id in accounts]
        connections.close_all()

        def work() -> None:
            for deposit in prepared:
                self.write(deposit)

        return work

    def write(self, deposit: Prepared) -> None:
        write_side = self.sides[0]
        write_side.begin()
        position, transaction_id = write_side.append(deposit.event)
        write_side.execute(COMMAND, (*deposit.command, position))
        write_side.commit()
        if self.both:
            read_side = self.sides[1]
            read_side.begin()
            read_side.execute(SUMMARY, deposit.summary)
            read_side.execute(LINE, (*deposit.line, position))
            read_side.execute(TOTALS, (AMOUNT, AMOUNT))
            read_side.execute(DAILY, (deposit.day, AMOUNT))
            read_side.execute(CHECKPOINT, (position, transaction_id, deposit.moment))
            read_side.commit()


def prepare(account_id: int) -> Prepared:
    """Return the rows of a deposit at an account, as of now."""
    account_cache.forget(stream_of(account_id))  # the account cache does not know these events
    loaded, stream, now = repository.load(account_id), stream_of(account_id), datetime.now(UTC)
    version, command_id = loaded.version + 1, uuid4()
    assert not snapshots.is_due(loaded.version, version), "its row is not among those that are written here"
    event_type, payload = encode(MoneyDepositedIntoBankAccount(account_id, AMOUNT))
    text, metadata = canonical(payload), canonical({"actor": "teller", "correlation_id": str(command_id)})
    digest = event_hash(loaded.hash, stream, version, event_type, 1, text, metadata, command_id, now)
    at = connections["default"].ops.adapt_datetimefield_value(now)
    key, balance = command_id.hex, loaded.aggregate.balance + AMOUNT
    command = DepositMoneyIntoBankAccount(account_id, AMOUNT)
    envelope = Envelope(command_id, command.stored_name, "teller", now, pins.fingerprint(command))
    seal = seals.seal(command_text(envelope, ("accepted", "", "", stream, version, 1), digest))
    return Prepared(
        (stream, version, event_type, text, metadata, key, at, digest),
        (key, at, stream, version, envelope.fingerprint, seal),
        (AMOUNT, version, at, account_id),
        (account_id, AMOUNT, balance, version, at, key),
        now.date().isoformat(),
        at,
    )


class SQLite:
    def __init__(self, alias: str) -> None:
        settings = connections[alias].settings_dict
        self.connection = sqlite3.connect(settings["NAME"], isolation_level=None, timeout=20)
        self.connection.executescript(settings["OPTIONS"]["init_command"])

    def begin(self) -> None:
        self.connection.execute("BEGIN IMMEDIATE")

    def execute(self, statement: str, values: Sequence[Any]) -> Any:
        return self.connection.execute(statement.replace("%s", "?"), values)

    def append(self, values: Sequence[Any]) -> tuple[int, int]:
        position = self.execute(EVENT, values).lastrowid
        return position, 0

    def commit(self) -> None:
        self.connection.execute("COMMIT")


class PostgreSQL:
    def __init__(self, alias: str) -> None:
        settings = connections[alias].settings_dict
        self.connection = psycopg.connect(
            dbname=settings["NAME"], host=settings["HOST"], port=settings["PORT"], user=settings["USER"]
        )

    def begin(self) -> None:
        """psycopg begins with the first statement, in one message."""

    def execute(self, statement: str, values: Sequence[Any]) -> Any:
        return self.connection.execute(statement.encode(), values)

    def append(self, values: Sequence[Any]) -> Any:
        return self.execute(f"{EVENT} RETURNING position, transaction_id", values).fetchone()

    def commit(self) -> None:
        self.connection.commit()


def driver(alias: str) -> SQLite | PostgreSQL:
    return SQLite(alias) if connections[alias].vendor == "sqlite" else PostgreSQL(alias)


if __name__ == "__main__":
    serve(Bare(both=os.environ.get("BENCH_BOTH") == "1"))
