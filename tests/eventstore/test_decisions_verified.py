"""Verification repeats each decision, and so finds forbidden ones even where all seals fit."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest

from bank.application import account_cache, pins, repository
from bank.application.dispatch import handle
from bank.domain.commands import ChangePin, UnlockPin
from bank.domain.events import (
    AccountEvent,
    AccountOverdrawn,
    BankAccountCreated,
    InvalidPin,
    MoneyDepositedIntoBankAccount,
    MoneyWithdrawnFromBankAccount,
    PinChanged,
    PinLocked,
    PinUnlocked,
    WithdrawalBlocked,
)
from bank.operations.audit import audit
from eventstore import clock
from eventstore.chain import canonical
from eventstore.events import Envelope
from eventstore.models import Event
from eventstore.verification import parallel
from tests.support import vandal
from tests.support.databases import Urls, stranger
from tests.support.record import Aside, verify
from tests.support.values import PIN, deposit, open_account, withdraw

pytestmark = pytest.mark.usefixtures("bank")

WRONG = PIN + 1
CREATE, DEPOSIT, WITHDRAW, UNLOCK, CHANGE = (
    "create_bank_account", "deposit_money_into_bank_account", "withdraw_money_from_bank_account", "unlock_pin",
    "change_pin",
)  # fmt: skip


def record(command: str, *events: AccountEvent, attempts: int | None = 3) -> int:
    """Record a decision of a faulty bank with valid hashes and seals, and return the last version."""
    account_id = events[0].account_id
    envelope = Envelope(uuid4(), command, "", clock.now(), bytes(32))
    verifier = pins.make_verifier(account_id, PIN, envelope.id)
    sets_pin = command in (CREATE, CHANGE)
    saved = repository.save(
        repository.load(account_id),
        events,
        envelope,
        circumstances={} if attempts is None else {"pin_attempts": attempts},
        also=(lambda: pins.replace_verifier(account_id, verifier)) if sets_pin else None,
    )
    return saved.last.version


def open_and_lock() -> None:
    """Open account 1, and lock account 2; both have 50."""
    for account_id in (1, 2):
        open_account(account_id, balance=50)
    for _ in range(3):
        withdraw(2, 5, WRONG)


def findings(processes: int) -> list[tuple[str, int, str]]:
    report = audit(read_side=False, processes=processes)
    return [(finding.stream, finding.version, finding.what) for finding in report.findings]


@pytest.mark.parametrize(
    ("command", "events", "nth", "what"),
    [
        (WITHDRAW, [MoneyWithdrawnFromBankAccount(2, 5)], 0, "withdrawal_blocked"),
        (WITHDRAW, [InvalidPin(2, 5)], 0, "withdrawal_blocked"),
        (WITHDRAW, [InvalidPin(2, 5), PinLocked(2, 4)], 0, "withdrawal_blocked"),
        (WITHDRAW, [AccountOverdrawn(2, 50, 80)], 0, "withdrawal_blocked"),
        (WITHDRAW, [WithdrawalBlocked(1, 5)], 0, "money_withdrawn_from_bank_account"),
        (WITHDRAW, [MoneyWithdrawnFromBankAccount(1, 51)], 0, "balance of -1"),
        (WITHDRAW, [AccountOverdrawn(1, 50, 50)], 0, "money_withdrawn_from_bank_account"),
        (WITHDRAW, [AccountOverdrawn(1, 51, 80)], 0, "account_overdrawn (accountId 1, balance 50"),
        (WITHDRAW, [InvalidPin(1, 5), PinLocked(1, 1)], 1, "no pin_locked"),
        (DEPOSIT, [MoneyDepositedIntoBankAccount(1, 10**12 + 1)], 0, "more than can be moved"),
        (DEPOSIT, [MoneyDepositedIntoBankAccount(1, 5), MoneyDepositedIntoBankAccount(1, 5)], 1, "no money_deposited"),
        (DEPOSIT, [MoneyWithdrawnFromBankAccount(1, 5)], 0, "for the command deposit_money_into_bank_account"),
        (DEPOSIT, [MoneyDepositedIntoBankAccount(7, 5)], 0, "was not open yet"),
        (UNLOCK, [PinUnlocked(1)], 0, "not locked"),
        (CHANGE, [PinChanged(2)], 0, "pin_unlocked beside it"),
        (CHANGE, [PinChanged(1), PinUnlocked(1)], 1, "no pin_unlocked"),
        (CREATE, [BankAccountCreated(1, "Eve")], 0, "open before"),
        (CREATE, [BankAccountCreated(3, " Eve")], 0, "no holder's name"),
        (CREATE, [BankAccountCreated(3, "Eve"), MoneyDepositedIntoBankAccount(3, 10**9)], 1, "no money_deposited"),
    ],
)
def test_a_decision_that_the_rules_forbid_is_named(
    monkeypatch: pytest.MonkeyPatch, command: str, events: Sequence[AccountEvent], nth: int, what: str
) -> None:
    open_and_lock()
    assert findings(1) == []
    version = record(command, *events) - len(events) + 1 + nth
    deposit(1, 5)
    [(stream, found_at, output)] = findings(1)
    assert (stream, found_at) == (f"bank_account-{events[0].account_id}", version)
    assert what in output
    monkeypatch.setattr(parallel, "_Process", Aside)
    assert findings(2) == findings(3) == findings(1)


@pytest.mark.parametrize("attempts", [1, 2, 3, 5])
def test_a_missing_lock_is_a_finding_for_any_number_of_attempts(settings: Any, attempts: int) -> None:
    open_account(balance=50)
    settings.PIN_ATTEMPTS = attempts
    for _ in range(attempts - 1):
        withdraw(1, 5, WRONG)
    settings.PIN_ATTEMPTS = 10
    assert findings(1) == []
    version = record(WITHDRAW, InvalidPin(1, 5), attempts=attempts)
    [(_, found_at, output)] = findings(1)
    assert (found_at, "the rules record pin_locked beside it" in output) == (version, True)


def test_several_real_processes_find_the_same() -> None:
    open_and_lock()
    record(WITHDRAW, MoneyWithdrawnFromBankAccount(2, 5))
    record(WITHDRAW, InvalidPin(1, 5), PinLocked(1, 1))
    assert len(findings(1)) == 2
    assert findings(3) == findings(2) == findings(1)


# Decisions of the bank are never found


def test_a_changed_number_of_attempts_causes_no_finding(settings: Any) -> None:
    open_account(balance=50)
    for attempts in (3, 5, 1, 2, 4, 1):
        settings.PIN_ATTEMPTS = attempts
        for pin in (WRONG, WRONG, PIN, WRONG):
            withdraw(1, 1, pin)
        deposit(1, 5)
        if repository.load(1).aggregate.pin_locked:
            handle(UnlockPin(1) if attempts % 2 else ChangePin(1, PIN))
        assert findings(1) == []
    assert {event.metadata.get("pin_attempts") for event in Event.objects.filter(type="invalid_pin")} == {1, 2, 3, 4, 5}


def test_only_a_wrong_pin_has_the_number_of_attempts_in_its_metadata() -> None:
    open_and_lock()
    withdraw(1, 5)
    withdraw(1, 500)
    withdraw(2, 5)
    has_it = {event.type for event in Event.objects.all() if "pin_attempts" in event.metadata}
    assert has_it == {"invalid_pin", "pin_locked"}


def test_wrong_pins_from_before_their_number_was_recorded_are_no_finding() -> None:
    open_account(balance=50)
    for _ in range(7):
        record(WITHDRAW, InvalidPin(1, 5), attempts=None)
    record(WITHDRAW, InvalidPin(1, 5), PinLocked(1, 8), attempts=None)
    assert findings(1) == []


# Rows that are changed only during a decision


@contextmanager
def rewritten(urls: Urls, stream: str, version: int, **columns: Any) -> Iterator[None]:
    """Change a stored event, empty the caches of this process, and restore the event at the end."""
    with stranger(urls["DATABASE_URL"]) as database:
        trigger = ""
        if vandal.is_sqlite(database):
            named = "SELECT sql FROM sqlite_master WHERE name = 'eventstore_event_no_update'"
            (trigger,) = database.execute(named).fetchone()
            database.execute("DROP TRIGGER eventstore_event_no_update")
        else:
            database.execute("SET session_replication_role = replica")
        [before] = [
            row for row in vandal.load(database)[vandal.EVENT] if (row["stream"], row["version"]) == (stream, version)
        ]
        _write(database, before | columns)
        account_cache._loaded.clear()
        yield
        _write(database, before)
        if trigger:
            database.execute(trigger)
        account_cache._loaded.clear()


def _write(database: Any, row: vandal.Row) -> None:
    mark = "?" if vandal.is_sqlite(database) else "%s"
    values = [row["type"], row["schema_version"], canonical(row["data"]), row["position"]]
    columns = f"type = {mark}, schema_version = {mark}, data = {mark}"
    database.execute(f"UPDATE eventstore_event SET {columns} WHERE position = {mark}", values)


def test_a_temporarily_hidden_lock_is_found_by_the_withdrawal_it_allowed(urls: Urls) -> None:
    open_and_lock()
    blocked = {"type": "withdrawal_blocked", "schema_version": 1, "data": {"accountId": 2, "amount_requested": 5}}
    with rewritten(urls, "bank_account-2", 6, **blocked):
        assert withdraw(2, 5).events == (MoneyWithdrawnFromBankAccount(2, 5),)
    [(stream, version, output)] = findings(1)
    assert (stream, version) == ("bank_account-2", 7)
    assert "the rules record withdrawal_blocked" in output


def test_a_temporarily_hidden_wrong_pin_is_found_by_the_missing_lock(urls: Urls) -> None:
    open_account(balance=50)
    withdraw(1, 5, WRONG)
    withdraw(1, 5, WRONG)
    with rewritten(urls, "bank_account-1", 4, type="pin_changed", data={"accountId": 1}):
        assert withdraw(1, 5, WRONG).events == (InvalidPin(1, 5),)
    output = verify()
    assert "bank_account-1 version 5 (position 5): the rules record pin_locked beside it" in output
    assert "exit 1" in output


def test_a_temporarily_raised_balance_is_found_by_the_withdrawal_it_allowed(urls: Urls) -> None:
    open_account(balance=50)
    with rewritten(urls, "bank_account-1", 2, data={"accountId": 1, "amount": 5000}):
        assert withdraw(1, 900).events == (MoneyWithdrawnFromBankAccount(1, 900),)
    [(stream, version, output)] = findings(1)
    assert (stream, version) == ("bank_account-1", 3)
    assert "balance of -850; the rules record account_overdrawn" in output
