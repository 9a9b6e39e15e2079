"""What is recorded is never changed or deleted, whichever way somebody tries."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import IntegrityError, connections

from bank.domain.commands import CreateBankAccount
from bank.handlers import handle
from eventstore.models import AppendOnly, CommandRecord, Event

TABLES = {"eventstore_event": "position", "eventstore_commandrecord": "id"}


@pytest.fixture(autouse=True)
def _recorded(bank: Path) -> None:
    handle(CreateBankAccount(1, "Josh", 1234))


def statements(table: str, key: str, columns: list[str]) -> list[str]:
    """Every way to change a row, to delete one, and to put one in the place of another."""
    names = ", ".join(columns)
    elsewhere = ", ".join("99" if column == "position" else column for column in columns)
    return [
        f"UPDATE {table} SET version = 7",
        f"UPDATE OR REPLACE {table} SET version = 7",
        f"DELETE FROM {table}",
        f"DELETE FROM {table} WHERE version = 1",
        f"REPLACE INTO {table} SELECT * FROM {table}",
        f"INSERT OR REPLACE INTO {table} ({names}) SELECT {names} FROM {table}",
        f"INSERT INTO {table} ({names}) SELECT {names} FROM {table} WHERE true "
        f"ON CONFLICT ({key}) DO UPDATE SET version = 7",
        # The stream and version, or the id, of a row that is there, under a new position
        f"INSERT OR REPLACE INTO {table} ({names}) SELECT {elsewhere} FROM {table}",
    ]


@pytest.mark.parametrize(("table", "key"), TABLES.items())
def test_the_database_refuses_every_statement(table: str, key: str) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")
        before = cursor.fetchall()
        for statement in statements(table, key, [column[0] for column in cursor.description]):
            with pytest.raises(IntegrityError, match="append-only"):
                cursor.execute(statement)
        cursor.execute(f"SELECT * FROM {table}")
        assert cursor.fetchall() == before


@pytest.mark.parametrize(("table", "key"), TABLES.items())
def test_it_refuses_a_stranger_with_the_file_as_well(bank: Path, table: str, key: str) -> None:
    stranger = sqlite3.connect(bank / "bank.sqlite3", isolation_level=None)
    columns = [column[0] for column in stranger.execute(f"SELECT * FROM {table}").description]
    for statement in statements(table, key, columns):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            stranger.execute(statement)
    stranger.close()


@pytest.mark.parametrize("model", [Event, CommandRecord])
def test_the_models_refuse(model: type[Event] | type[CommandRecord]) -> None:
    row = model.objects.get()
    attempts: list[Callable[[], object]] = [
        row.save,
        row.delete,
        lambda: model.objects.update(version=7),
        lambda: model.objects.all().delete(),
        lambda: model.objects.bulk_update([row], ["version"]),  # type: ignore[list-item]
        lambda: model.objects.bulk_create([row], ignore_conflicts=True),  # type: ignore[list-item]
        lambda: model.objects.create(),
        lambda: model.objects.get_or_create(version=9),
        lambda: model.objects.update_or_create(version=9),
    ]
    for attempt in attempts:
        with pytest.raises(AppendOnly):
            attempt()
