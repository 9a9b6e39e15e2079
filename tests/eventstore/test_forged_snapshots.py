"""A snapshot without a seal of the bank's keys is not used, and is no finding."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from bank.application import account_cache, repository
from bank.domain.account import BankAccount
from bank.domain.account_state import STATE_VERSION
from bank.domain.events import MoneyWithdrawnFromBankAccount, WithdrawalBlocked
from bank.operations.audit import audit
from eventstore import seals, snapshots, store
from eventstore.chain import canonical, snapshot_text, state_hash
from eventstore.stream_lock import stream_lock
from tests.support import vandal
from tests.support.databases import Urls, stranger
from tests.support.record import export, spoil, verify
from tests.support.values import PIN, count, deposit, do_business, open_account, query, withdraw

pytestmark = pytest.mark.usefixtures("bank")

STREAM = "bank_account-3"
OLD_UPSERT = """
    INSERT INTO eventstore_snapshot (stream, version, state, hash) VALUES (%s, %s, %s, %s)
    ON CONFLICT (stream) DO UPDATE SET version = excluded.version, state = excluded.state, hash = excluded.hash
    WHERE eventstore_snapshot.version < excluded.version
"""
"""The UPSERT of a snapshot by the version before seals."""

type Account = repository.Loaded[BankAccount]


@pytest.fixture
def locked() -> Account:
    """Account 3: locked, with 1,000 and a snapshot."""
    open_account(3, balance=1000 - snapshots.EVERY)
    for _ in range(snapshots.EVERY):
        deposit(3, 1)
    for _ in range(3):
        withdraw(3, 5, PIN + 1)
    return repository.load(3)


def state_of(loaded: Account, **other: Any) -> dict[str, Any]:
    return {**loaded.aggregate.to_state(), **other}


def put(urls: Urls, stream: str, version: int, state: dict[str, Any], event_hash: bytes, seal: bytes) -> None:
    """Write a snapshot directly into the database, with a fitting hash."""
    row = {"stream": stream, "version": version, "state": state, "hash": state_hash(canonical(state), event_hash)}
    with stranger(urls["DATABASE_URL"]) as database:
        database.execute("BEGIN")
        database.execute(f"DELETE FROM {vandal.SNAPSHOT}")
        vandal.insert_row(database, vandal.SNAPSHOT, {**row, "seal": seal})
        database.execute("COMMIT")


def unlocked(urls: Urls, locked: Account, seal: bytes) -> None:
    """Forge a snapshot with account 3 unlocked, and empty the account cache."""
    state = state_of(locked, wrong_pins=0, pin_locked=False)
    put(urls, STREAM, locked.version, state, locked.hash, seal)
    account_cache.forget("bank_account-3")


def latest_seal() -> bytes:
    return bytes(query("SELECT seal FROM eventstore_snapshot")[0][0])


# The attack


@pytest.mark.parametrize(
    "seal",
    [
        lambda locked: b"",
        lambda locked: latest_seal(),
        lambda locked: bytes(seals.SIZE),
        lambda locked: seals.Ring(["a key of somebody else's"]).seal("x"),
        lambda locked: seals.Ring(["a key of somebody else's"]).seal(
            snapshot_text(
                STREAM,
                locked.version,
                state_hash(canonical(state_of(locked, wrong_pins=0, pin_locked=False)), locked.hash),
            )
        ),
    ],
    ids=["none", "of an older snapshot", "zeros", "another bank's", "of the same text under another key"],
)
def test_a_forged_snapshot_unlocks_nothing(
    urls: Urls,
    locked: Account,
    seal: Callable[[Account], bytes],
    tmp_path: Path,
) -> None:
    export(tmp_path / "head")
    unlocked(urls, locked, seal(locked))
    assert "Snapshots not believed: 1" in verify()
    assert withdraw(3, 500).events == (WithdrawalBlocked(3, 500),)
    assert count("eventstore_snapshot") == 0, "it is dropped"
    output = verify("--head", str(tmp_path / "head"))
    assert "All of it fits together" in output
    assert "not believed" not in output
    for _ in range(snapshots.EVERY):
        deposit(3, 1)
    assert count("eventstore_snapshot") == 1, "and replaced"
    account_cache.forget("bank_account-3")
    assert repository.load(3).aggregate == BankAccount(**next(repository.states_of(STREAM, 2**62, 2**62)))


def test_the_account_cache_does_not_bypass_the_seal(urls: Urls, locked: Account) -> None:
    unlocked(urls, locked, b"")
    for version in range(2, locked.version):
        remembered = next(repository.states_of(STREAM, version, version))
        last = next(store.read_stream(STREAM, first=version, last=version))
        account_cache.put(STREAM, repository.Loaded(BankAccount(**remembered), version, last.hash))
        with stream_lock(STREAM) as lock:
            assert repository.load(3, lock).aggregate.pin_locked
        unlocked(urls, locked, b"")


def test_a_snapshot_with_the_seal_of_the_bank_is_used(urls: Urls, locked: Account) -> None:
    """It shows that the tests above fail because of the seal. Verification finds a forger who has the keys."""
    state = state_of(locked, wrong_pins=0, pin_locked=False)
    unlocked(urls, locked, snapshots.values(STREAM, locked.version, state, locked.hash)[-1])
    output = verify()
    assert f"{STREAM} version {locked.version} " in output
    assert "the snapshot is not what the events add up to" in output
    assert withdraw(3, 500).events == (MoneyWithdrawnFromBankAccount(3, 500),)
    query("DELETE FROM eventstore_snapshot")
    output = verify()
    assert f"{STREAM} version {locked.version + 1} " in output
    assert "the rules record withdrawal_blocked" in output
    assert "exit 1" in output


# Seals bind


def sealed(stream: str, version: int) -> list[Any]:
    """Return the row of the bank's own snapshot of a stream at a version."""
    event = next(store.read_stream(stream, first=version, last=version))
    account = BankAccount(**next(repository.states_of(stream, version, version)))
    return snapshots.values(stream, version, account.to_state(), event.hash)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 21},
        {"version": 1},
        {"version": 0},
        {"version": -5},
        {"version": 2**62},
        {"stream": "bank_account-9"},
        {"hash": bytes(32)},
        {"state": {}},
        {"state": {"account_id": 3, "account_holder": "Josh", "balance": 10**9, "wrong_pins": 0, "pin_locked": False}},
    ],
    ids=str,
)
def test_a_changed_or_moved_snapshot_is_not_used(urls: Urls, locked: Account, change: dict[str, Any]) -> None:
    open_account(9, balance=5)
    names = ("stream", "version", "state", "hash", "seal")
    stream, version, state, digest, seal = sealed(STREAM, snapshots.EVERY)
    row = dict(zip(names, (stream, version, json.loads(state), digest, seal), strict=True)) | change
    with stranger(urls["DATABASE_URL"]) as database:
        database.execute(f"DELETE FROM {vandal.SNAPSHOT}")
        vandal.insert_row(database, vandal.SNAPSHOT, row)
    report = audit()
    assert (report.findings, report.unbelieved) == ([], 1)
    for account_id, balance in ((3, 1000), (9, 5)):
        account_cache.forget(f"bank_account-{account_id}")
        assert repository.load(account_id).aggregate.balance == balance
    assert repository.load(3) == locked
    assert count("eventstore_snapshot") == (change.get("version", 1) < 1), "it is dropped, or older than all"


def test_an_older_snapshot_hides_no_later_event(urls: Urls, locked: Account) -> None:
    for version in range(1, locked.version):
        _, _, state, _, seal = sealed(STREAM, version)
        event = next(store.read_stream(STREAM, first=version, last=version))
        put(urls, STREAM, version, json.loads(state), event.hash, seal)
        account_cache.forget("bank_account-3")
        assert repository.load(3) == locked
        assert count("eventstore_snapshot") == 1, "it is believed, and what came later is played on top"
    assert audit().findings == []


def test_a_sealed_snapshot_of_a_deleted_event_is_a_finding(urls: Urls, locked: Account) -> None:
    def cut_off(tables: vandal.Tables) -> None:
        tables[vandal.EVENT] = [row for row in tables[vandal.EVENT] if row["version"] < snapshots.EVERY]
        ids = {row["command_id"] for row in tables[vandal.EVENT]}
        tables[vandal.COMMAND] = [row for row in tables[vandal.COMMAND] if row["id"] in ids]
        tables[vandal.SNAPSHOT] = before

    with stranger(urls["DATABASE_URL"]) as database:
        before = vandal.load(database)[vandal.SNAPSHOT]
    spoil(urls, cut_off, cover=True)
    spoil(urls, lambda tables: tables.update({vandal.SNAPSHOT: before}))
    assert "there is a snapshot of it, but no such event" in verify("--no-read-side")


# Invalid snapshots


@pytest.mark.only_on("sqlite", reason="the other keeps types")
@pytest.mark.parametrize("column", ["stream", "state", "hash", "seal", "version"])
@pytest.mark.parametrize(
    "value",
    [
        "NULL",
        "'{'",
        "x'ff'",
        "CAST(x'ff' AS TEXT)",
        "3",
        "3.5",
        "99999999999",
        "'5'",
        "'[]'",
        "''",
        "x''",
        "'[[[['",
        "'NaN'",
    ],
)
def test_a_snapshot_that_is_no_snapshot_does_no_harm(urls: Urls, locked: Account, column: str, value: str) -> None:
    with stranger(urls["DATABASE_URL"]) as database:
        database.execute(f"CREATE TABLE bare AS SELECT * FROM {vandal.SNAPSHOT}")  # without constraints and types
        database.execute(f"DROP TABLE {vandal.SNAPSHOT}")
        database.execute(f"ALTER TABLE bare RENAME TO {vandal.SNAPSHOT}")
        database.execute(f"UPDATE {vandal.SNAPSHOT} SET {column} = {value}")
    output = verify()
    assert "Snapshots not believed: 1" in output
    assert "1 found that do not fit" in output, "the table without its constraints is"
    assert output.startswith("eventstore_snapshot, table: it was altered")
    account_cache.forget("bank_account-3")
    assert repository.load(3) == locked


# Beside the previous version of the program


def test_a_snapshot_of_the_previous_version_is_ignored_without_an_error(locked: Account) -> None:
    values = sealed(STREAM, locked.version)
    query(OLD_UPSERT, *values[:-1])
    assert query("SELECT version FROM eventstore_snapshot") == [(locked.version,)], "the seal of the one before stays"
    assert "All of it fits together" in verify()
    account_cache.forget("bank_account-3")
    assert repository.load(3) == locked
    assert count("eventstore_snapshot") == 0
    query(OLD_UPSERT, *values[:-1])
    assert latest_seal() == b""
    assert repository.load(3) == locked


def test_a_snapshot_names_the_version_of_its_state(locked: Account) -> None:
    [(version, state, digest)] = query("SELECT version, state, hash FROM eventstore_snapshot")
    event = next(store.read_stream(STREAM, first=version, last=version))
    assert bytes(digest) == state_hash(canonical(json.loads(state)), event.hash)
    assert json.loads(state) == json.loads(
        json.dumps({**next(repository.states_of(STREAM, version, version)), "state_version": STATE_VERSION})
    )


def test_a_bank_from_before_snapshots_were_sealed_is_sound(vendor: str, tmp_path: Path) -> None:
    do_business()
    query("UPDATE eventstore_snapshot SET seal = %s", b"")
    output = verify()
    assert "Snapshots not believed: 1" in output
    assert "All of it fits together" in output
    assert export(tmp_path / "head").events == 68
    if vendor == "sqlite":
        call_command("backup", str(tmp_path / "copy"), stdout=StringIO(), stderr=StringIO())
        assert (tmp_path / "copy" / "head.json").exists()
