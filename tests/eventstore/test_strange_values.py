"""Verification of rows that the bank cannot have written: each is a finding, and none causes a traceback."""

import json
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from django.core.management import CommandError

from bank.application.dispatch import handle
from bank.domain.commands import ChangePin, DepositMoneyIntoBankAccount
from bank.domain.errors import CommandRejected
from eventstore import snapshots
from eventstore.verification import parallel
from eventstore.verification.findings import shown
from tests.support import vandal
from tests.support.databases import Urls, stranger
from tests.support.record import Aside, export, verify
from tests.support.values import PIN, open_account, query, withdraw

READ_SIDE = {
    "projections_checkpoint": ["name", "transaction_id", "position"],
    "projections_accountsummary": ["account_id", "account_holder", "balance", "version"],
    "projections_statementline": ["account_id", "amount"],
    "projections_refusedwithdrawal": ["account_id"],
    "projections_namepart": ["account_id"],
    "projections_banktotals": ["id", "accounts", "balance", "balance_high", "paid_in", "paid_out"],
    "projections_dailytotals": ["day", "accounts_opened", "deposits", "paid_in", "paid_in_high", "refusals"],
}
"""The columns that verification compares."""
ANY = [
    None, -1, 10**14, 2**63 - 1, 3.5, float("inf"), b"", b"\xff\x00", b"x" * 32,
    "", "x", "99999999999999999999", "\x1b[2J\nall is well", "x" * 10_000, "2026-13-45 25:61:61", "0000-01-01 00:00:00",
]  # fmt: skip
JSON = [
    "{", "[]", '"x"', "null", "5", "NaN", "1e999", "[" * 100_000, "[" * 900 + "]" * 900,
    '{"accountId": 1, "amount": "5"}', '{"accountId": "1", "amount": true}',
    '{"accountId": 1, "accountHolder": "\\ud800"}', '{"accountId": 1, "accountHolder": [[[]]], "amount": 1e999}',
    f'{{"accountId": {"9" * 5000}}}', f'{{"accountId": 1, "amount": {"9" * 4300}}}',
]  # fmt: skip
NOT_UTF8 = [b"\xff", b"caf\xe9", b'{"accountId": 1, "amount": "\xff"}', b"\xed\xa0\x80"]
POSTGRESQL: dict[str, list[Any]] = {
    "bigint": [0, -1, 2**63 - 1, -(2**63)],
    "integer": [0, -1, 2**31 - 1, -(2**31)],
    "smallint": [0, -1, 2**15 - 1, -(2**15)],
    "timestamp with time zone": ["infinity", "-infinity", "4713-01-01 BC", "294276-12-31", "0001-01-01 00:00+14"],
    "date": ["infinity", "-infinity", "4713-01-01 BC", "294276-12-31"],
    "uuid": ["00000000-0000-0000-0000-000000000000"],
    "bytea": [b"", b"\xff", b"x" * 32],
    "jsonb": ["null", "[]", '"x"', "5", "1e400", "[" * 3000 + "]" * 3000, *JSON[-6:-4], *JSON[-2:]],
    "character varying": ["", "x", "\x1b[2J\nall is well"],
    "text": ["", "x"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _recorded(bank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "EVERY", 2)
    for account_id in (1, 2):
        open_account(account_id, f"Holder {account_id}", balance=50)
    withdraw(1, 5)
    withdraw(1, 7, PIN + 1)
    handle(ChangePin(2, 42))
    with suppress(CommandRejected):
        handle(DepositMoneyIntoBankAccount(77, 5))
    query("INSERT INTO eventstore_epoch (number, shift, began_at) VALUES (1, 5, '2026-01-01 00:00:00')")


class Cell(NamedTuple):
    """A column of a row: the original row, its current key, and the current value."""

    table: str
    column: str
    key: Any
    row: vandal.Row
    value: Any = None

    def is_named(self, output: str) -> bool:
        """Return whether a line names the row, by its key or by the strange value."""
        names = [self.row.get(name) for name in ("stream", "id", "account_id", "name", "day")]
        if isinstance(id_ := self.row.get("id"), str):
            names.append(str(UUID(id_)))
        names += [f"position {self.row.get('position')}", f"epoch {self.row.get('number')}", shown(self.value)]
        names.append(str(self.value)[:100].encode("unicode_escape").decode())
        # The lines on missing triggers and constraints do not count: the test dropped them.
        lines = [line for line in output.splitlines() if ": " in line and not line.startswith(tuple(vandal.ORDER))]
        return any(str(name) in line for name in names if name for line in lines)


class Vandal:
    """A connection that writes any value that a column can hold."""

    def __init__(self, database: Any, vendor: str) -> None:
        self.database, self.vendor = database, vendor
        if vendor == "postgresql":
            database.execute("SET session_replication_role = replica")
        else:
            database.execute("PRAGMA ignore_check_constraints = ON")
            database.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")

    def lift(self, table: str, *, bare: bool) -> None:
        """Drop the triggers of a table; if `bare`, also its constraints and, in SQLite, its types."""
        if self.vendor == "postgresql" and not bare:
            return
        if self.vendor == "postgresql":
            for name in self._names(f"SELECT conname FROM pg_constraint WHERE conrelid = '{table}'::regclass"):
                self.database.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}" CASCADE')
            for column in self.types(table):
                self.database.execute(f"ALTER TABLE {table} ALTER {column} DROP IDENTITY IF EXISTS")
                self.database.execute(f"ALTER TABLE {table} ALTER {column} DROP NOT NULL")
            return
        for name in self._names("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            self.database.execute(f"DROP TRIGGER {name}")
        if bare:
            columns = ", ".join(self.types(table))
            self.database.execute(f"CREATE TABLE bare ({columns})")
            self.database.execute(f"INSERT INTO bare ({columns}) SELECT {columns} FROM {table} ORDER BY rowid")
            self.database.execute(f"DROP TABLE {table}")
            self.database.execute(f"ALTER TABLE bare RENAME TO {table}")

    def types(self, table: str) -> dict[str, str]:
        """Return the type of each column."""
        statement = (
            f"SELECT name, type FROM pragma_table_info('{table}')"
            if self.vendor == "sqlite"
            else f"SELECT column_name, data_type FROM information_schema.columns WHERE table_name = '{table}'"
        )
        return dict(self.database.execute(statement).fetchall())

    def rows(self, table: str) -> Iterator[tuple[Any, vandal.Row]]:
        """Yield rows of a table with their keys: one of each table, and a command record of each outcome."""
        mark = "rowid" if self.vendor == "sqlite" else "ctid::text"
        for where in ("outcome = 'accepted'", "outcome = 'rejected'") if table == vandal.COMMAND else ("true",):
            cursor = self.database.execute(f"SELECT {mark}, * FROM {table} WHERE {where} ORDER BY 2 LIMIT 1 OFFSET 1")
            if (found := cursor.fetchone()) is None:
                found = self.database.execute(f"SELECT {mark}, * FROM {table} WHERE {where} LIMIT 1").fetchone()
            yield found[0], dict(zip([each[0] for each in cursor.description[1:]], found[1:], strict=True))

    def values(self, column: str, type_: str) -> Iterator[tuple[str, Any]]:
        """Yield an SQL expression and its value for each strange value of a column's type."""
        if self.vendor == "sqlite":
            yield from (("?", value) for value in ANY)
            yield from (("?", value) for value in JSON if column in vandal.JSON)
            yield from (("CAST(? AS TEXT)", value) for value in NOT_UTF8)
        else:
            for value in (None, *POSTGRESQL[type_]):
                yield f"%s::{type_}", value

    def back(self, row: vandal.Row, column: str, type_: str) -> tuple[str, Any]:
        """Return the SQL expression and the value that restore a column."""
        value = json.dumps(row[column]) if type_ == "jsonb" else row[column]
        return ("?" if self.vendor == "sqlite" else f"%s::{type_}"), value

    def write(self, cell: Cell, expression: str, value: Any) -> Cell | None:
        """Write a value. Return the changed cell, or None if the column cannot hold the value."""
        table, column, key, row, _ = cell
        here, mark, same = ("?", "rowid", "rowid") if self.vendor == "sqlite" else ("%s::tid", "ctid", "ctid::text")
        shape = column if self.vendor == "sqlite" else f"{column}::text"
        with suppress(self.database.IntegrityError, self.database.DataError, self.database.OperationalError):
            now, held = self.database.execute(
                f"UPDATE {table} SET {column} = {expression} WHERE {mark} = {here} RETURNING {same}, {shape}",
                [value, key],
            ).fetchone()
            return Cell(table, column, now, row, held)
        return None

    def _names(self, statement: str) -> list[str]:
        return [name for (name,) in self.database.execute(statement).fetchall()]


def is_right(output: str, cell: Cell) -> bool:
    """Return whether a verification handled a strange value correctly."""
    if output.endswith("exit 2"):
        return True
    if (
        cell.table == "projections_checkpoint"
        and str(cell.value).lstrip("-").isdecimal()
        and "All of it fits together" in output
    ):
        return True  # the projection has applied less, and its figures are right up to there
    if cell.table == vandal.SNAPSHOT and "Snapshots not believed: 1" in output:
        return True  # a snapshot, which is no longer used
    return output.endswith("exit 1") and (cell.is_named(output) or "does not extend the head" in output)


def outcome(*arguments: str) -> str:
    """Return the output and the exit code of verify_events."""
    try:
        return verify(*arguments)
    except CommandError as error:
        return f"{error}\nexit {error.returncode}"


@pytest.mark.parametrize("bare", [False, True], ids=["with constraints", "bare"])
@pytest.mark.parametrize("table", [*vandal.ORDER, *READ_SIDE])
def test_each_strange_value_in_each_column_is_named_or_ends_the_verification(
    urls: Urls, vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, bare: bool
) -> None:
    export(tmp_path / "head")
    monkeypatch.setattr(parallel, "_Process", Aside)
    options = ["--head", str(tmp_path / "head")] if table in vandal.ORDER else []
    tried, wrong = 0, []
    with stranger(urls["PROJECTIONS_DATABASE_URL" if table in READ_SIDE else "DATABASE_URL"]) as database:
        attacker = Vandal(database, vendor)
        attacker.lift(table, bare=bare)
        types = attacker.types(table)
        for key, row in attacker.rows(table):
            for column in READ_SIDE.get(table, row):
                back = attacker.back(row, column, types[column])
                for expression, value in attacker.values(column, types[column]):
                    changed = attacker.write(Cell(table, column, key, row), expression, value)
                    if changed is None:
                        continue
                    key = changed.key
                    if str(changed.value) == str(row[column]):
                        continue
                    tried += 1
                    output = outcome(*options, "--processes", str(1 + tried % 2))
                    if not is_right(output, changed):
                        wrong.append(f"{table}.{column} = {shown(value)}: {output}")
                    restored = attacker.write(changed, *back)
                    assert restored
                    key = restored.key
    assert tried > 3
    assert wrong == []


@pytest.mark.parametrize("processes", [1, 2])
def test_a_value_nested_too_deeply_for_a_pipe_causes_no_traceback(
    urls: Urls, vendor: str, capfd: pytest.CaptureFixture[str], processes: int
) -> None:
    deep = f'{{"accountId": 1, "accountHolder": {"[" * 3000}{"]" * 3000}}}'
    if vendor == "sqlite":
        deep = deep.replace("[" * 3000, "[" * 6000).replace("]" * 3000, "]" * 6000)
    with stranger(urls["DATABASE_URL"]) as database:
        attacker = Vandal(database, vendor)
        attacker.lift(vandal.EVENT, bare=False)
        mark = "?" if vendor == "sqlite" else "%s::jsonb"
        database.execute(f"UPDATE eventstore_event SET data = {mark} WHERE version = 1", [deep])
    output = outcome("--processes", str(processes))
    assert output.endswith(("exit 1", "exit 2"))
    assert "Traceback" not in output + "".join(capfd.readouterr())
