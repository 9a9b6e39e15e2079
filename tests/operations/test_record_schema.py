"""Verification of the record's triggers, constraints and columns: each dropped or altered one is named."""

from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from bank.operations.record_schema import RECORD
from eventstore.backends import backend_of
from eventstore.verification.schema import definitions_of
from tests.support import databases
from tests.support.databases import Urls, stranger
from tests.support.record import verify
from tests.support.values import do_business

pytestmark = pytest.mark.usefixtures("bank")

EVENT, COMMAND, VERIFIER = "eventstore_event", "eventstore_commandrecord", "bank_pinverifier"
UPDATE = f"{EVENT}_no_update"
NO_CHANGE = f"{EVENT}_append_only"
NOTHING = "CREATE OR REPLACE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"


def remade(table: str) -> list[str]:
    return [
        f"CREATE TABLE anew AS SELECT * FROM {table}",
        f"DROP TABLE {table}",
        f"ALTER TABLE anew RENAME TO {table}",
    ]


ON_SQLITE = [
    ([f"DROP TRIGGER {UPDATE}"], f"{EVENT}, trigger {UPDATE}: it is missing. The migrations make: CREATE TRIGGER"),
    ([f"DROP TRIGGER {COMMAND}_no_delete"], f"{COMMAND}, trigger {COMMAND}_no_delete: it is missing"),
    (
        ["DROP TRIGGER eventstore_epoch_counts_up"],
        "eventstore_epoch, trigger eventstore_epoch_counts_up: it is missing",
    ),
    (
        [f"DROP TRIGGER {UPDATE}", f"CREATE TRIGGER {UPDATE} BEFORE UPDATE ON {EVENT} BEGIN SELECT 1; END"],
        f"{EVENT}, trigger {UPDATE}: it was altered to: CREATE TRIGGER",
    ),
    (
        [f"CREATE TRIGGER quiet BEFORE INSERT ON {EVENT} BEGIN SELECT RAISE(IGNORE); END"],
        f"{EVENT}, trigger quiet: the migrations do not make it",
    ),
    (remade(EVENT), f"{EVENT}, table: it was altered to: CREATE TABLE"),
    (remade(VERIFIER), f"{VERIFIER}, table: it was altered to: CREATE TABLE"),
    (
        [f"ALTER TABLE {EVENT} RENAME TO anew", f"CREATE VIEW {EVENT} AS SELECT * FROM anew"],
        f"{EVENT}, view {EVENT}: the migrations do not make it",
    ),
    (
        [
            "PRAGMA writable_schema = ON",
            "UPDATE sqlite_master SET sql = replace(sql, 'seal\" BLOB NOT NULL', 'seal\" BLOB') WHERE type = 'table'",
        ],
        f"{COMMAND}, table: it was altered to",
    ),
    ([f"CREATE UNIQUE INDEX one ON {EVENT} (position)"], f"{EVENT}, unique index one: the migrations do not make it"),
]
ON_POSTGRESQL = [
    ([f"DROP TRIGGER {NO_CHANGE} ON {EVENT}"], f"{EVENT}, trigger {NO_CHANGE}: it is missing"),
    ([f"DROP TRIGGER {EVENT}_no_gap ON {EVENT}"], f"{EVENT}, trigger {EVENT}_no_gap: it is missing"),
    ([NOTHING.format(f"{COMMAND}_append_only")], f"{COMMAND}, trigger {COMMAND}_append_only: it was altered to"),
    (
        [
            NOTHING.format("nothing"),
            f"DROP TRIGGER {NO_CHANGE} ON {EVENT}",
            f"CREATE TRIGGER {NO_CHANGE} BEFORE UPDATE ON {EVENT} EXECUTE FUNCTION nothing()",
        ],
        f"{EVENT}, trigger {NO_CHANGE}: it was altered to",
    ),
    ([f"ALTER TABLE {EVENT} DISABLE TRIGGER {NO_CHANGE}"], f"EXECUTE FUNCTION {NO_CHANGE}() DISABLED AS plpgsql"),
    ([f"ALTER TABLE {EVENT} DISABLE TRIGGER ALL"], f"EXECUTE FUNCTION {EVENT}_no_gap() DISABLED AS plpgsql"),
    ([f"ALTER TABLE {EVENT} ENABLE REPLICA TRIGGER {EVENT}_no_gap"], "ENABLED ON REPLICAS AS plpgsql"),
    (
        [
            f"ALTER TABLE {EVENT} DROP CONSTRAINT event_stream_version",
            f"CREATE INDEX event_stream_version ON {EVENT} (stream, version)",
        ],
        f"{EVENT}, constraint event_stream_version: it is missing. The migrations make: UNIQUE",
    ),
    ([f"ALTER TABLE {EVENT} DROP CONSTRAINT {EVENT}_pkey"], f"{EVENT}, constraint {EVENT}_pkey: it is missing"),
    ([f"ALTER TABLE {EVENT} ALTER hash DROP NOT NULL"], f"{EVENT}, column hash: it was altered to: bytea."),
    ([f"ALTER TABLE {EVENT} ALTER transaction_id SET DEFAULT 0"], f"{EVENT}, column transaction_id: it was altered"),
    ([f"ALTER TABLE {VERIFIER} ALTER seal DROP NOT NULL"], f"{VERIFIER}, column seal: it was altered"),
    (remade(EVENT), f"{EVENT}, trigger {NO_CHANGE}: it is missing"),
    (remade(VERIFIER), f"{VERIFIER}, constraint {VERIFIER}_pkey: it is missing"),
    ([f"CREATE RULE quiet AS ON UPDATE TO {EVENT} DO INSTEAD NOTHING"], f"{EVENT}, rule quiet: the migrations do not"),
    ([f"CREATE TABLE child () INHERITS ({EVENT})"], f"{EVENT}, table: it was altered to: r p with child tables"),
    ([f"ALTER TABLE {EVENT} SET UNLOGGED"], f"{EVENT}, table: it was altered to: r u"),
    ([f"ALTER TABLE {EVENT} ENABLE ROW LEVEL SECURITY"], f"{EVENT}, table: it was altered to: r p with row security"),
    (
        ["CREATE OR REPLACE FUNCTION eventstore_shift() RETURNS bigint LANGUAGE sql AS 'SELECT 5::bigint'"],
        "functions, function eventstore_shift: it was altered to",
    ),
    (
        ["UPDATE pg_index SET indisready = false WHERE indexrelid = 'event_stream_version'::regclass"],
        "UNIQUE (stream, version) with an invalid index",
    ),
    (
        [
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET session_replication_role = replica', "
            "current_database()); END $$"
        ],
        "functions, setting session_replication_role: it was altered to: replica",
    ),
]  # fmt: skip
HARMLESS = {
    "sqlite": "VACUUM",
    "postgresql": f"ALTER TABLE {EVENT} ENABLE ALWAYS TRIGGER {EVENT}_no_gap",
}


def change(urls: Urls, statements: Sequence[str]) -> tuple[str, str]:
    """Change the schema of a bank, and return what verify_events and check print."""
    do_business()
    with stranger(urls["DATABASE_URL"]) as database:
        for statement in statements:
            database.execute(statement)
    databases.forget_connections()
    checked = StringIO()
    call_command("check", databases=["default"], stdout=checked, stderr=checked)
    try:
        return verify("--no-read-side"), checked.getvalue()
    except CommandError as error:
        return str(error), checked.getvalue()


def test_the_list_matches_the_migrations(vendor: str) -> None:
    expected = RECORD[vendor]
    with backend_of().one_moment():
        made = {table: definitions_of("default", table, names) for table, names in expected.items()}
    assert made == {
        table: {name: " ".join(text.split()) for name, text in definitions.items()}
        for table, definitions in expected.items()
    }


@pytest.mark.only_on("sqlite", reason="the statements are SQLite's")
@pytest.mark.parametrize(("statements", "message"), ON_SQLITE)
def test_a_missing_or_altered_definition_in_sqlite_is_named(urls: Urls, statements: list[str], message: str) -> None:
    verified, checked = change(urls, statements)
    assert message in verified
    assert verified.endswith("exit 1")
    assert message in checked


@pytest.mark.only_on("postgresql", reason="the statements are PostgreSQL's")
@pytest.mark.parametrize(("statements", "message"), ON_POSTGRESQL)
def test_a_missing_or_altered_definition_in_postgresql_is_named(
    urls: Urls, statements: list[str], message: str
) -> None:
    verified, checked = change(urls, statements)
    assert message in verified
    assert verified.endswith("exit 1")
    assert message in checked


def test_indexes_that_only_make_it_faster_are_no_finding(urls: Urls, vendor: str) -> None:
    verified, checked = change(
        urls, [f"CREATE INDEX faster ON {EVENT} (command_id)", "DROP INDEX event_type", HARMLESS[vendor]]
    )
    assert "All of it fits together" in verified
    assert "bank.W003" not in checked


@pytest.mark.only_on("postgresql", reason="SQLite has no schemas")
@pytest.mark.parametrize("schema", ["tellers", "new", "Old Bank"])
def test_the_name_of_the_schema_makes_no_difference(empty_urls: Urls, schema: str) -> None:
    for url in empty_urls.values():
        with stranger(url) as database:
            database.execute(f'CREATE SCHEMA "{schema}"')
    escaped = schema.replace(" ", "\\ ")
    with databases.in_use(empty_urls, {"options": f'-c search_path="{escaped}"'}):
        for alias in databases.VARIABLES:
            call_command("migrate", database=alias, verbosity=0)
        assert "All of it fits together" in verify()


def test_a_database_that_is_not_migrated_has_no_warnings(empty_urls: Urls, tmp_path: Path) -> None:
    with databases.in_use(empty_urls):
        checked = StringIO()
        call_command("check", databases=["default"], stdout=checked, stderr=checked)
        assert "bank.W003" not in checked.getvalue()
