"""An event that cannot be applied parks its stream, for the affected projections only."""

from io import StringIO
from typing import Any
from unittest import mock

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from bank.domain import events, upcasters
from eventstore import store
from projections import engine, quarantine, queries
from projections.models import Checkpoint, ParkedStream
from projections.projectors import PROJECTORS
from projections.workers import replay, resume
from projections.workers.worker import ProjectionWorker
from tests.support.newer import append, credit, freeze, newer_version, unfreeze
from tests.support.parked import assert_is_whole, assert_tables, parked, parked_in_all
from tests.support.statements import Death, mortal
from tests.support.values import at_once, deposit, open_account, query, whole_log

pytestmark = pytest.mark.usefixtures("bank")

UNREADABLE: list[tuple[str, dict[str, Any], int]] = [
    ("account_frozen", {"accountId": 1, "reason": "by court order"}, 1),
    ("money_deposited_into_bank_account", {"accountId": 1, "amount": 5}, 2),
    ("money_deposited_into_bank_account", {"accountId": 1, "amount": 5}, 0),
    ("money_deposited_into_bank_account", {"accountId": 1}, 1),
    ("money_deposited_into_bank_account", {"accountId": 1, "amount": "5"}, 1),
    ("money_deposited_into_bank_account", {"accountId": 1, "amount": None}, 1),
    ("money_deposited_into_bank_account", {"accountId": 1, "amount": [5]}, 1),
    ("money_deposited_into_bank_account", {"accountId": 1, "amount": True}, 1),
    ("money_deposited_into_bank_account", {"accountId": 1, "amount": 2**63}, 1),
    ("money_deposited_into_bank_account", {"accountId": 2, "amount": 5}, 1),
    ("bank_account_created", {"accountId": 1, "accountHolder": ["Josh"]}, 1),
]


# Events that cannot be decoded


@pytest.mark.parametrize("unreadable", UNREADABLE)
def test_an_event_that_cannot_be_decoded_parks_its_account_and_no_other(
    unreadable: tuple[str, dict[str, Any], int],
) -> None:
    open_account(1, balance=100)
    event = append(*unreadable)
    open_account(2, "Luke Ng", balance=7)
    assert parked() == parked_in_all(1, 3)
    assert {row.position for row in ParkedStream.objects.all()} == {event.position}
    assert {each.error for each in Checkpoint.objects.all()} == {""}
    assert set(Checkpoint.objects.values_list("position", flat=True)) == {store.last_position()}
    assert (queries.check_balance(1), queries.check_balance(2)) == (100, 7)
    assert_tables([each for each in whole_log() if each != event])
    assert replay.check() == []


def test_an_upcaster_that_raises_parks_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    def upcast(data: upcasters.Payload) -> upcasters.Payload:
        return {"account_id": data["account_id"]}

    open_account(1, balance=100)
    open_account(2, "Luke Ng", balance=7)
    monkeypatch.setitem(upcasters.UPCASTERS, "pin_changed", [upcast])
    append("pin_changed", {"accountId": 1})
    deposit(2, 5)
    assert parked() == parked_in_all(1, 3)
    assert queries.check_balance(2) == 12


def test_later_events_of_a_parked_account_wait_and_are_applied_in_order() -> None:
    open_account(1, balance=100)
    freeze()
    open_account(2, "Luke Ng", balance=7)
    for amount in (10, 20, 30):
        credit(1, amount)
        deposit(2, amount)
    assert queries.check_balance(1) == 100
    assert replay.check() == []
    assert resume.resume() == 0
    assert parked() == parked_in_all(1, 3)
    with newer_version("account_frozen"):
        assert resume.resume() == len(PROJECTORS)
        assert_is_whole()
        assert [entry.balance for entry in queries.statement(1).rows if entry.kind == "deposit"] == [160, 130, 110, 100]
        assert replay.check() == []


def test_a_version_that_knows_only_the_first_event_resumes_up_to_the_second() -> None:
    open_account(1, balance=100)
    freeze()
    credit(1, 10)
    unfreeze()
    credit(1, 20)
    with newer_version("account_frozen"):
        assert resume.resume() == 0
        assert parked() == parked_in_all(1, 5)
        assert queries.check_balance(1) == 110
        assert replay.check() == []
    with newer_version("account_frozen", "account_unfrozen"):
        resume.resume()
        assert_is_whole()


def test_an_account_whose_opening_is_unknown_is_resumed_from_its_beginning() -> None:
    append("bank_account_created", {"accountId": 1, "accountHolder": "Josh"}, 2)
    credit(1, 5)
    open_account(2, "Luke Ng")
    assert queries.get_account_list() == [(2, "Luke Ng")]
    healthy = events.decode
    with mock.patch.object(quarantine, "decode", lambda kind, schema, data: healthy(kind, 1, data)):
        resume.resume()
        assert parked() == set()
        assert queries.check_balance(1) == 5
        assert_tables(whole_log())


def test_every_account_may_be_parked_for_an_unknown_event() -> None:
    for account_id in range(1, 6):
        open_account(account_id, "Josh", balance=account_id)
        freeze(account_id)
    assert len(parked()) == 5 * len(PROJECTORS)
    with newer_version("account_frozen"):
        resume.resume()
        assert_is_whole()


def test_resuming_one_projection_leaves_the_others() -> None:
    open_account(1)
    freeze()
    with newer_version("account_frozen"):
        assert resume.resume(["totals"]) == 1
    assert parked() == parked_in_all(1, 2) - {("totals", "bank_account-1", 2)}


def test_an_account_is_resumed_up_to_the_checkpoint(settings: Any) -> None:
    open_account(1, balance=100)
    freeze()
    settings.PROJECTION_MODE = "worker"
    credit(1, 10)
    with newer_version("account_frozen"):
        resume.resume()
        assert (parked(), queries.check_balance(1)) == (set(), 100)
        engine.catch_up()
        assert queries.check_balance(1) == 110
        assert_is_whole()


def test_two_resumers_beside_a_projector_count_each_event_once(settings: Any) -> None:
    open_account(1, balance=100)
    freeze()
    open_account(2, "Luke Ng", balance=7)
    for amount in range(1, 15):
        credit(1, amount)
    settings.PROJECTION_MODE = "worker"
    for amount in range(1, 15):
        credit(1, amount)
        deposit(2, amount)
    with newer_version("account_frozen"):
        at_once([resume.resume, resume.resume, lambda: engine.catch_up(), lambda: engine.catch_up()])
        engine.catch_up()
        resume.resume()
        assert_is_whole()


def test_a_resume_may_be_killed_after_any_statement(settings: Any) -> None:
    def begin() -> None:
        for name, projector in PROJECTORS.items():
            query(f"DELETE FROM {projector.model._meta.db_table}", using="projections")
            query("DELETE FROM projections_checkpoint WHERE name = %s", name, using="projections")
        engine.catch_up()
        assert parked() == parked_in_all(1, 3)

    settings.PROJECTION_MODE = "worker"
    open_account(1, balance=100)
    freeze()
    open_account(2, "Luke Ng", balance=7)
    credit(1, 10)
    number, is_dead = 0, True
    while is_dead:
        number += 1
        begin()
        with newer_version("account_frozen"):
            with mortal(Death(number)) as death:
                resume.resume(["statements", "totals"])
            is_dead = death.is_dead
            assert replay.check() == []
            resume.resume()
            assert_is_whole()
    assert number > 10


# Replay


def test_a_replay_parks_undecodable_events_in_the_new_tables_too() -> None:
    open_account(1, balance=100)
    freeze()
    credit(1, 10)
    open_account(2, "Luke Ng", balance=7)
    replay.replay()
    assert parked() == parked_in_all(1, 3)
    assert replay.check() == []
    with newer_version("account_frozen"):
        replay.replay(["totals", "daily"])
        assert parked() == {each for each in parked_in_all(1, 3) if each[0] not in ("totals", "daily")}
        assert replay.check() == []
        resume.resume()
        assert_is_whole()


def test_a_check_reports_that_it_cannot_compare_streams_resumed_by_another_version() -> None:
    open_account(1, balance=100)
    freeze()
    with newer_version("account_frozen"):
        resume.resume()
    with pytest.raises(replay.NotComparable, match=r"accounts cannot be compared.*bank_account-1"):
        replay.check()


def test_a_deleted_projection_loses_its_parked_streams() -> None:
    open_account(1)
    freeze()
    query("DELETE FROM projections_checkpoint WHERE name = 'totals'", using="projections")
    query("DELETE FROM projections_banktotals", using="projections")
    with newer_version("account_frozen"):
        engine.catch_up()
        resume.resume()
        assert_is_whole()


# Resume


def test_the_command_resumes_parked_streams_and_lists_the_rest() -> None:
    def replayed(*arguments: str) -> tuple[str, str]:
        out, err = StringIO(), StringIO()
        call_command("replay_projections", *arguments, stdout=out, stderr=err)
        return out.getvalue(), err.getvalue()

    open_account(1)
    freeze()
    why = "without bank_account-1 from version 2 on: UnknownEvent: this program knows no event account_frozen"
    assert replayed("totals", "--resume") == ("Resumed: 0.\n", f"totals is {why}\n")
    out, err = replayed("--check")
    assert "No difference in" in out, "what is parked is no fault"
    assert err.count(why) == len(PROJECTORS), "and not passed over in silence"
    with newer_version("account_frozen"):
        assert replayed("--resume") == (f"Resumed: {len(PROJECTORS)}.\n", "")
        assert_is_whole()
    assert replayed("totals")[1] == f"totals is {why}\n"
    with newer_version("account_frozen"):
        assert replayed("totals")[1] == ""
        assert_is_whole()
    with pytest.raises(CommandError) as refused:
        replayed("--check")
    assert refused.value.returncode == 2


def test_a_worker_resumes_when_it_begins() -> None:
    open_account(1)
    freeze()
    with newer_version("account_frozen"):
        worker = ProjectionWorker()
        worker._round(worker.lease.held())
        assert parked() == set()
