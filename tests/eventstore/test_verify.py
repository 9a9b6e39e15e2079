"""`manage.py verify_events` and `manage.py export_head`."""

import threading
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from bank.operations.audit import audit
from tests.support import vandal
from tests.support.databases import Urls, stranger
from tests.support.record import export, in_stream, spoil, verify
from tests.support.values import at_once, deposit, do_business, open_account, query, withdraw

pytestmark = pytest.mark.usefixtures("bank")


# A sound bank


def test_a_bank_in_which_everything_has_happened_is_sound() -> None:
    do_business()
    output = verify()
    assert "Checked 68 events in 6 streams, 67 accepted and 4 rejected commands" in output
    assert "All of it fits together." in output


def test_an_empty_bank_is_sound_and_everything_extends_its_head(tmp_path: Path) -> None:
    head = export(tmp_path / "head")
    assert (head.events, head.streams, head.position) == (0, 0, 0)
    do_business()
    assert "extends the head of" in verify("--head", str(tmp_path / "head"))


def test_a_bank_that_is_open_is_sound_at_every_moment(tmp_path: Path) -> None:
    for account_id in (1, 2, 3):
        open_account(account_id, balance=100)
    head = export(tmp_path / "head")
    done = threading.Event()

    def serve(account_id: int) -> list[Any]:
        for _ in range(25):
            deposit(account_id, 5)
            withdraw(account_id, 3)
        done.set()
        return []

    def look() -> list[Any]:
        findings: list[Any] = []
        while not done.is_set():
            findings += audit(since=head).findings
        return findings

    works = [lambda each=each: serve(each) for each in (1, 2, 3)]
    assert at_once([*works, look, look]) == [[]] * 5
    assert "All of it fits together" in verify("--head", str(tmp_path / "head"))


@pytest.mark.parametrize("rows", ["projections_checkpoint", "projections_accountsummary"])
def test_a_read_side_that_is_behind_is_sound_as_far_as_it_has_come(rows: str, settings: Any) -> None:
    open_account(balance=5)
    settings.PROJECTION_MODE = "worker"
    deposit(1, 7)
    assert "All of it fits together" in verify()
    query(f"DELETE FROM {rows}", using="projections")
    assert "exit 1" in verify(), "what is empty cannot have come this far, and what has come nowhere cannot be full"


# Faults


def test_the_first_bad_event_of_each_stream_is_named(urls: Urls) -> None:
    do_business()

    def change(tables: vandal.Tables) -> None:
        for stream, version in (("bank_account-1", 7), ("bank_account-1", 3), ("bank_account-4", 2)):
            row = in_stream(tables, stream)[version - 1]
            row["data"] = {**row["data"], "amount": 10**9}

    spoil(urls, change)
    output = verify("--no-read-side").splitlines()
    assert [line.split(":")[0] for line in output if "position" in line] == [
        "bank_account-4 version 2 (position 8)",
        "bank_account-1 version 3 (position 9)",
    ]
    assert output[-2:] == ["2 found that do not fit.", "exit 1"]


def lose_events(tables: vandal.Tables) -> None:
    tables[vandal.EVENT] = [row for row in tables[vandal.EVENT] if row["stream"] != "bank_account-2"]


def lose_last_record(tables: vandal.Tables) -> None:
    last = in_stream(tables, "bank_account-4")[-1]
    tables[vandal.COMMAND] = [row for row in tables[vandal.COMMAND] if row["id"] != last["command_id"]]


def forge_event(tables: vandal.Tables) -> None:
    last = in_stream(tables, "bank_account-1")[-1]
    gift = {"version": last["version"] + 1, "position": 69, "data": {"accountId": 1, "amount": 10**9}}
    tables[vandal.EVENT].append({**last, **gift})


def forge_balance(tables: vandal.Tables) -> None:
    snapshot = tables[vandal.SNAPSHOT][0]
    last = in_stream(tables, snapshot["stream"])[snapshot["version"] - 1]
    vandal.forge_snapshot(snapshot, {**snapshot["state"], "balance": 10**9}, last["hash"], keys=True)


def exchange_verifiers(tables: vandal.Tables) -> None:
    one, other = tables[vandal.VERIFIER][:2]
    one["account_id"], other["account_id"] = other["account_id"], one["account_id"]


def make_type_unknown(tables: vandal.Tables) -> None:
    in_stream(tables, "bank_account-4")[-1]["type"] = "money_printed"


@pytest.mark.parametrize(
    ("change", "cover", "fault"),
    [
        (lambda tables: tables[vandal.EVENT].pop(20), False, "it is missing: the command"),
        (lambda tables: tables[vandal.EVENT].pop(), False, "it is missing: the command"),
        (lambda tables: tables[vandal.COMMAND].pop(), False, "does not extend the head"),
        (lambda tables: tables[vandal.COMMAND].pop(3), False, "the event before it has no command record"),
        (lose_last_record, False, "): it has no command record"),
        (lambda tables: tables[vandal.VERIFIER].pop(), False, "the account has no PIN verifier"),
        (lambda tables: tables[vandal.EVENT][30].update(metadata={"actor": "else"}), True, "another actor"),
        (lambda tables: in_stream(tables, "bank_account-1")[1]["data"].update(amount=1), True, "was changed: its seal"),
        (lose_events, True, "does not extend the head"),
        (forge_event, False, "its hash fits neither"),
        (forge_balance, False, "the snapshot is not what the events add up to"),
        (exchange_verifiers, False, "the PIN verifier is not the one that"),
    ],
)
def test_each_finding_names_its_fault(
    urls: Urls, tmp_path: Path, change: Callable[[vandal.Tables], object], cover: bool, fault: str
) -> None:
    do_business()
    export(tmp_path / "head")
    spoil(urls, change, cover=cover)
    output = verify("--head", str(tmp_path / "head"), "--no-read-side")
    assert fault in output
    assert "exit 1" in output


@pytest.mark.parametrize(
    ("said_now", "found"),
    [
        ({"type": "money_printed"}, "it cannot be checked from here on: this program knows no event money_printed"),
        ({"schema_version": 2}, "schema version 2 is newer than this program"),
        ({"type": "pin_unlocked", "data": {"accountId": 2}}, "it is about bank_account-2"),
        ({"type": "money_withdrawn_from_bank_account", "data": {"accountId": 4, "amount": 10**9}}, "a balance of -"),
        (
            {"type": "bank_account_created", "data": {"accountId": 4, "accountHolder": "X"}},
            "the account was open before",
        ),
    ],
)
def test_an_event_that_makes_no_sense_is_named_even_where_the_keys_were_stolen(
    urls: Urls, said_now: vandal.Row, found: str
) -> None:
    do_business()

    def forge(tables: vandal.Tables) -> None:
        in_stream(tables, "bank_account-4")[-1].update(said_now)
        vandal.recompute(tables)
        vandal.reseal(tables)

    spoil(urls, forge)
    assert found in verify("--no-read-side")


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE projections_accountsummary SET balance = balance + 1 WHERE account_id = 3", "accounts 3: it shows"),
        ("DELETE FROM projections_statementline WHERE account_id = 4", "statements 4: it shows nothing"),
        ("DELETE FROM projections_refusedwithdrawal", "refusals 2: it shows nothing, and should show 4"),
        ("UPDATE projections_banktotals SET paid_in = 1", "totals 1"),
        ("UPDATE projections_dailytotals SET refusals = refusals + 1", "the read side's daily 2"),
        (
            "UPDATE projections_checkpoint SET position = 99, transaction_id = transaction_id + 1",
            "the log has no event",
        ),
    ],
)
def test_figures_that_do_not_fit_are_named(statement: str, fault: str) -> None:
    do_business()
    query(statement, using="projections")
    output = verify()
    assert fault in output
    assert "exit 1" in output
    assert "All of it fits together" in verify("--no-read-side")


def test_a_missing_read_side_is_reported(urls: Urls) -> None:
    do_business()
    query("DROP TABLE projections_banktotals", using="projections")
    with pytest.raises(CommandError, match="replay_projections") as stopped:
        verify()
    assert stopped.value.returncode == 2


@pytest.mark.only_on("sqlite", reason="PostgreSQL gives positions to writers that fail as well")
def test_the_end_of_the_log_is_missed_without_a_head(urls: Urls) -> None:
    """Without the last event and its command record, all remaining rows fit."""
    do_business()

    def cut_off(tables: vandal.Tables) -> None:
        last = tables[vandal.EVENT].pop()
        tables[vandal.COMMAND] = [row for row in tables[vandal.COMMAND] if row["id"] != last["command_id"]]

    spoil(urls, cut_off)
    output = verify("--no-read-side")
    assert "it is missing: positions up to 68 have been given" in output
    assert output.endswith("exit 1")


def test_nothing_is_signed_that_does_not_fit_together(urls: Urls) -> None:
    do_business()
    spoil(urls, make_type_unknown)
    out, errors = StringIO(), StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("export_head", stdout=out, stderr=errors)
    assert stopped.value.code == 1
    assert out.getvalue() == ""
    assert "Nothing is signed" in errors.getvalue()


@pytest.mark.only_on("sqlite", reason="the other keeps types")
@pytest.mark.parametrize("column", ["recorded_at", "received_at", "command_id", "hash", "version"])
@pytest.mark.parametrize("value", ["'x'", "x'ff'", "x'00'", "3.5", "CAST(x'ff' AS TEXT)"])
def test_a_row_that_is_no_row_is_a_finding_like_others(urls: Urls, column: str, value: str) -> None:
    do_business()
    table = vandal.COMMAND if column == "received_at" else vandal.EVENT
    with stranger(urls["DATABASE_URL"]) as database:
        (trigger,) = database.execute(f"SELECT sql FROM sqlite_master WHERE name = '{table}_no_update'").fetchone()
        database.execute(f"DROP TRIGGER {table}_no_update")
        database.execute(f"UPDATE {table} SET {column} = {value} WHERE rowid = 5")
        database.execute(trigger)
    assert "exit 1" in verify("--no-read-side")
