"""The migrations seal a record without seals. It is append-only afterwards."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connections

from bank.operations.audit import audit
from tests.support import databases, vandal
from tests.support.databases import Urls, stranger
from tests.support.values import deposit, do_business_without_processes, query

NEW = {vandal.COMMAND: ("seal", "transaction_id", "causation"), vandal.VERIFIER: ("seal",), vandal.SNAPSHOT: ("seal",)}
BEFORE = {"bank": "0003_log_in_tries", "eventstore": "0004_no_gap"}


@pytest.mark.usefixtures("bank")
def test_the_migration_seals_an_old_record(
    vendor: str, urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bank.application.handlers.CURRENCY", "of_today")  # accounts of that version have no currency
    do_business_without_processes()
    with stranger(urls["DATABASE_URL"]) as database:
        tables = vandal.load(database)
    for table, columns in NEW.items():
        tables[table] = [{name: row[name] for name in row if name not in columns} for row in tables[table]]
    (tmp_path / "old").mkdir()
    with databases.empty_databases(vendor, tmp_path / "old") as old, databases.in_use(old):
        for app, migration in BEFORE.items():
            call_command("migrate", app, migration, database="default", verbosity=0)
        with stranger(old["DATABASE_URL"]) as database:
            for table in (vandal.EVENT, vandal.COMMAND, vandal.SNAPSHOT, vandal.VERIFIER):
                for row in tables[table]:
                    vandal.insert_row(database, table, row)
            if vendor == "postgresql":
                last = len(tables[vandal.EVENT])
                database.execute(f"SELECT setval(pg_get_serial_sequence('eventstore_event', 'position'), {last})")
        connections.close_all()

        for alias in databases.VARIABLES:
            call_command("migrate", database=alias, verbosity=0)
        call_command("replay_projections", verbosity=0)
        before = audit()
        assert (before.findings, before.unbelieved) == ([], 1), "its snapshot has no seal"
        deposit(1, 5)

        after = audit()
        assert (after.findings, after.unbelieved, after.events) == ([], 0, 55)
        for statement in (
            "UPDATE eventstore_commandrecord SET seal = fingerprint",
            "DELETE FROM eventstore_commandrecord",
            "UPDATE eventstore_event SET version = 7",
        ):
            with pytest.raises(IntegrityError, match="append-only"):
                query(statement)
