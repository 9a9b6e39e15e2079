"""`manage.py replay_projections`: the read side rebuilt from the events."""

import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.signals import request_started
from django.db import connections

from bank.application.dispatch import handle
from bank.domain.commands import CreateBankAccount, DepositMoneyIntoBankAccount, WithdrawMoneyFromBankAccount
from eventstore.backends import backend_of
from projections import engine, queries
from projections.projectors import PROJECTORS
from projections.workers import rebuild, replay
from tests.support.databases import Urls, stranger
from tests.support.values import do_business, query


@pytest.fixture
def busy_bank(bank: Path) -> Path:
    """A bank with every kind of event."""
    for account_id in range(1, 8):
        handle(CreateBankAccount(account_id, f"Holder {account_id}", 1234))
        handle(DepositMoneyIntoBankAccount(account_id, 1000 * account_id), actor="teller")
        handle(WithdrawMoneyFromBankAccount(account_id, 300, 1234))
        handle(WithdrawMoneyFromBankAccount(account_id, 300, 4321))
        handle(WithdrawMoneyFromBankAccount(account_id, 10**9, 1234))
    return bank


def dump() -> dict[str, Any]:
    """Return every row of the read side's tables."""
    with connections["projections"].cursor() as cursor:
        rows: dict[str, Any] = {}
        for projector in PROJECTORS.values():
            table = projector.model._meta.db_table
            cursor.execute(f"SELECT {', '.join(sorted(projector.columns))} FROM {table}")
            rows[table] = sorted(cursor.fetchall(), key=repr)
        cursor.execute("SELECT name, position FROM projections_checkpoint ORDER BY name")
        rows["checkpoints"] = cursor.fetchall()
        return rows


def schema() -> list[tuple[Any, ...]]:
    """Return the name and kind of each table, index and constraint."""
    if connections["projections"].vendor == "sqlite":
        return query("SELECT type, name FROM sqlite_master ORDER BY 1, 2", using="projections")
    return query(
        """SELECT relkind::text, relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace
           UNION ALL SELECT contype::text, conname FROM pg_constraint
           WHERE connamespace = current_schema()::regnamespace ORDER BY 1, 2""",
        using="projections",
    )


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("replay_projections", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def spoil(statement: str) -> None:
    with connections["projections"].cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.usefixtures("busy_bank")
def test_a_replay_makes_the_very_rows_that_ran_live() -> None:
    before, names = dump(), schema()

    for _ in range(2):  # the leftovers of the first must not disturb the second
        assert "from 35 events" in run()
        assert dump() == before
        assert schema() == names


@pytest.mark.usefixtures("bank")
@pytest.mark.parametrize("batch", [1, 2, 4, 9, 1000])
def test_a_replay_makes_the_same_rows_for_any_batch_size(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    do_business()
    before = dump()
    monkeypatch.setattr(rebuild, "BATCH", batch)

    assert replay.check() == []
    assert replay.check(["accounts", "totals"]) == []
    replay.replay(["accounts", "totals", "daily"])

    assert dump() == before


@pytest.mark.usefixtures("busy_bank")
def test_a_check_compares_each_projection_up_to_its_checkpoint(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(engine, "BATCH", 10)
    settings.PROJECTION_MODE = "worker"
    handle(DepositMoneyIntoBankAccount(1, 5))
    engine.catch_up(["totals"])
    handle(DepositMoneyIntoBankAccount(1, 5))
    assert replay.check() == []


@pytest.mark.usefixtures("busy_bank")
def test_a_replay_repairs_damaged_tables() -> None:
    before = dump()
    spoil("UPDATE projections_accountsummary SET balance = 1")
    spoil("DELETE FROM projections_statementline")
    spoil("DELETE FROM projections_checkpoint")

    run()

    assert dump() == before


@pytest.mark.usefixtures("busy_bank")
def test_a_named_projection_is_rebuilt_and_the_others_are_left_alone() -> None:
    spoil("UPDATE projections_accountsummary SET balance = 1")
    spoil("UPDATE projections_banktotals SET balance = 1")

    run("totals")

    assert queries.get_total_deposits() == 28000 - 7 * 300
    assert queries.check_balance(3) == 1


@pytest.mark.only_on("sqlite", reason="the file can be deleted while the bank is open")
def test_the_read_side_comes_back_after_its_file_was_deleted(busy_bank: Path) -> None:
    before = dump()
    for file in busy_bank.glob("projections.sqlite3*"):
        file.unlink()
    request_started.send(sender=None)  # the open connection is to the deleted file

    run()

    assert dump() == before


@pytest.mark.only_on("postgresql", reason="its schema can be dropped while the bank is open")
@pytest.mark.usefixtures("busy_bank")
def test_the_read_side_comes_back_after_all_its_tables_were_dropped() -> None:
    before, names = dump(), schema()
    query("DROP SCHEMA public CASCADE", using="projections")
    query("CREATE SCHEMA public", using="projections")

    run()

    assert dump() == before
    assert schema() == names


@pytest.mark.usefixtures("busy_bank")
def test_commands_go_on_after_a_replay() -> None:
    run()
    handle(DepositMoneyIntoBankAccount(1, 5))
    assert queries.check_balance(1) == 705
    assert "No difference" in run("--check")


@pytest.mark.usefixtures("busy_bank")
def test_a_command_in_the_middle_of_a_replay_counts_in_the_live_and_the_rebuilt_tables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "BATCH", 10)
    live: list[int] = []

    def between_batches(seconds: float) -> None:
        if not live:
            handle(DepositMoneyIntoBankAccount(1, 5))
            live.append(queries.check_balance(1))

    monkeypatch.setattr(time, "sleep", between_batches)
    replay.replay()

    assert live == [705], "the live table went on in the meantime"
    assert queries.check_balance(1) == 705
    assert replay.check() == []


@pytest.mark.usefixtures("busy_bank")
def test_an_interrupted_replay_leaves_the_figures_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    before, names = dump(), schema()
    monkeypatch.setattr(engine, "BATCH", 10)

    def interrupt(count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replay.replay(progress=interrupt)

    assert dump() == before
    assert schema() == names
    run()
    assert dump() == before


@pytest.mark.usefixtures("busy_bank")
def test_a_second_replay_reports_that_one_is_running() -> None:
    with backend_of("projections").process_lock("replay", wait=False) as is_held:
        assert is_held
        with pytest.raises(CommandError, match="running already"):
            run()
        with pytest.raises(CommandError, match="running already"):
            run("--check")
    run()


@pytest.mark.usefixtures("bank")
def test_an_unknown_name_is_refused_with_the_known_names() -> None:
    with pytest.raises(CommandError, match="no projection nonsense; there are accounts, statements"):
        run("nonsense")


@pytest.mark.usefixtures("bank")
def test_an_empty_log_makes_empty_tables() -> None:
    run()
    assert queries.get_account_list() == []
    assert "No difference" in run("--check")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE projections_accountsummary SET balance = 1 WHERE account_id = 2", "2: balance is 1, should be 1700"),
        ("DELETE FROM projections_refusedwithdrawal WHERE account_id = 2", "missing"),
        ("UPDATE projections_statementline SET position = 999 WHERE position = 2", "999: should not be there"),
    ],
)
@pytest.mark.usefixtures("busy_bank")
def test_a_check_lists_the_differences_and_changes_nothing(
    statement: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(statement)
    before, names = dump(), schema()
    out = StringIO()

    with pytest.raises(SystemExit) as stopped:
        call_command("replay_projections", "--check", stdout=out, stderr=out)

    assert stopped.value.code == 1
    assert message in out.getvalue()
    assert dump() == before
    assert schema() == names


@pytest.mark.usefixtures("busy_bank")
def test_a_reader_elsewhere_sees_the_old_figures_until_the_new_ones_are_whole(
    urls: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BATCH", 10)
    seen: set[Any] = set()
    with stranger(urls["PROJECTIONS_DATABASE_URL"]) as reader:

        def look(count: int) -> None:
            seen.add(reader.execute("SELECT SUM(balance), COUNT(*) FROM projections_accountsummary").fetchone())

        replay.replay(progress=look)
        look(0)

    assert seen == {(28000 - 7 * 300, 7)}
