"""A database error counts as a refusal of the store only if its exact text or constraint is known."""

from uuid import uuid4

import pytest
from django.db import IntegrityError

from bank.application.dispatch import handle
from bank.domain.commands import CreateBankAccount, DepositMoneyIntoBankAccount
from eventstore import store
from tests.support.databases import Urls, stranger
from tests.support.things import append, assert_unchanged, envelope
from tests.support.things import no_read_side as no_read_side

TABLES = pytest.mark.parametrize("table", ["eventstore_event", "eventstore_commandrecord"])
# Columns that a newer version of the program, or a change by hand, may have added.
COLUMNS = pytest.mark.parametrize(
    "column",
    [
        "owner integer NOT NULL",
        "owner integer CONSTRAINT eventstore_event_owner CHECK (owner IS NOT NULL)",
        "owner integer DEFAULT 5 REFERENCES eventstore_epoch (number)",
        "owner integer DEFAULT 5 CONSTRAINT eventstore_commandrecord_owner REFERENCES eventstore_epoch (number)",
    ],
    ids=["NOT NULL", "CHECK", "REFERENCES", "a named REFERENCES"],
)
REFUSALS = {
    "sqlite": """CREATE TRIGGER {table}_refused BEFORE INSERT ON {table}
                 BEGIN SELECT RAISE(ABORT, '{table} is closed today'); END""",
    "postgresql": """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                     RAISE EXCEPTION '{table} is closed today' USING ERRCODE = 'restrict_violation'; END $$;
                     CREATE TRIGGER {table}_refused BEFORE INSERT ON {table}
                     FOR EACH ROW EXECUTE FUNCTION refuse()""",
}


@TABLES
@COLUMNS
def test_a_constraint_that_the_store_does_not_know_is_no_refusal(urls: Urls, table: str, column: str) -> None:
    with stranger(urls["DATABASE_URL"]) as database:
        database.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
    assert_no_refusal()


@TABLES
def test_a_trigger_that_the_store_does_not_know_is_no_refusal(urls: Urls, vendor: str, table: str) -> None:
    with stranger(urls["DATABASE_URL"]) as database:
        database.execute(REFUSALS[vendor].format(table=table))
    assert_no_refusal()


def assert_no_refusal() -> None:
    with pytest.raises(IntegrityError):
        append()
    with pytest.raises(IntegrityError):
        append("thing-2", previous_hash=bytes(32))
    with pytest.raises(IntegrityError):
        handle(CreateBankAccount(1, "Josh", 1234), command_id=uuid4())
    assert_unchanged(events=0, commands=0)


def test_a_rejection_that_cannot_be_recorded_is_no_repeat(urls: Urls) -> None:
    with stranger(urls["DATABASE_URL"]) as database:
        database.execute("ALTER TABLE eventstore_commandrecord ADD COLUMN owner integer NOT NULL")
    with pytest.raises(IntegrityError):
        store.record_rejection("thing-1", envelope(), reason="no", message="No.")
    with pytest.raises(IntegrityError):
        handle(DepositMoneyIntoBankAccount(9, 100))
    assert_unchanged(events=0, commands=0)
