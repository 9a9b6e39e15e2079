"""The record is append-only, whatever the means of a change."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import IntegrityError, connections

from bank.application.dispatch import handle
from bank.domain.commands import CreateBankAccount
from eventstore.models import AppendOnly, CommandRecord, Event
from tests.support.databases import Urls, stranger

TABLES = {"eventstore_event": "position", "eventstore_commandrecord": "id"}


@pytest.fixture(autouse=True)
def _recorded(bank: Path) -> None:
    handle(CreateBankAccount(1, "Josh", 1234))


def statements(vendor: str, table: str, key: str, columns: list[str]) -> list[str]:
    """Return every way to change, delete or replace a row."""
    names = ", ".join(columns)
    elsewhere = ", ".join("99" if column == "position" else column for column in columns)
    everywhere = [
        f"UPDATE {table} SET version = 7",
        f"DELETE FROM {table}",
        f"DELETE FROM {table} WHERE version = 1",
        f"INSERT INTO {table} ({names}) SELECT {names} FROM {table} WHERE true "
        f"ON CONFLICT ({key}) DO UPDATE SET version = 7",
    ]
    only = {
        "sqlite": [
            f"UPDATE OR REPLACE {table} SET version = 7",
            f"REPLACE INTO {table} SELECT * FROM {table}",
            f"INSERT OR REPLACE INTO {table} ({names}) SELECT {names} FROM {table}",
            # The key of an existing row, under a new position
            f"INSERT OR REPLACE INTO {table} ({names}) SELECT {elsewhere} FROM {table}",
        ],
        "postgresql": [
            f"TRUNCATE {table}",
            f"TRUNCATE {table} RESTART IDENTITY CASCADE",
            f"UPDATE ONLY {table} SET version = 7",
            f"WITH gone AS (DELETE FROM {table} RETURNING *) SELECT * FROM gone",
            f"MERGE INTO {table} a USING {table} b ON a.{key} = b.{key} WHEN MATCHED THEN UPDATE SET version = 7",
            f"MERGE INTO {table} a USING {table} b ON a.{key} = b.{key} WHEN MATCHED THEN DELETE",
        ],
    }
    return everywhere + only[vendor]


@pytest.mark.parametrize(("table", "key"), TABLES.items())
def test_the_database_refuses_every_statement(vendor: str, table: str, key: str) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")
        before = cursor.fetchall()
        for statement in statements(vendor, table, key, [column[0] for column in cursor.description]):
            with pytest.raises(IntegrityError, match="append-only"):
                cursor.execute(statement)
        cursor.execute(f"SELECT * FROM {table}")
        assert cursor.fetchall() == before


@pytest.mark.parametrize(("table", "key"), TABLES.items())
def test_it_refuses_a_stranger_to_the_application_as_well(vendor: str, urls: Urls, table: str, key: str) -> None:
    with stranger(urls["DATABASE_URL"]) as database:
        columns = [column[0] for column in database.execute(f"SELECT * FROM {table}").description]
        before = database.execute(f"SELECT * FROM {table}").fetchall()
        for statement in statements(vendor, table, key, columns):
            with pytest.raises(database.IntegrityError, match="append-only"):
                database.execute(statement)
        assert database.execute(f"SELECT * FROM {table}").fetchall() == before


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


COLUMNS = "type, schema_version, data, metadata, command_id, recorded_at, hash"


@pytest.mark.parametrize(("stream", "version"), [("stream", 3), ("stream", 0), ("stream", -1), ("'bank_account-2'", 2)])
def test_nobody_leaves_a_gap_in_a_stream(urls: Urls, stream: str, version: int) -> None:
    with stranger(urls["DATABASE_URL"]) as database, pytest.raises(database.IntegrityError, match="leaves no gap"):
        database.execute(
            f"INSERT INTO eventstore_event (stream, version, {COLUMNS}) "
            f"SELECT {stream}, {version}, {COLUMNS} FROM eventstore_event"
        )


def test_one_statement_may_append_several_events(urls: Urls) -> None:
    with stranger(urls["DATABASE_URL"]) as database:
        database.execute(
            f"INSERT INTO eventstore_event (stream, version, {COLUMNS}) SELECT stream, version + more.by, {COLUMNS} "
            "FROM eventstore_event, (SELECT 1 AS by UNION ALL SELECT 2) AS more ORDER BY more.by"
        )
        assert database.execute("SELECT version FROM eventstore_event ORDER BY 1").fetchall() == [(1,), (2,), (3,)]
