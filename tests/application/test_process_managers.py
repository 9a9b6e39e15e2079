"""Process managers at work: the steps of an event are carried out exactly once, or the subscription stops at it."""

from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command

from bank.application import account_cache, dispatch, process_managers
from bank.application.dispatch import Busy, handle
from bank.application.handlers import HANDLERS
from bank.domain.commands import DepositMoneyIntoBankAccount
from bank.domain.errors import CommandIdReused, CommandRejected
from bank.domain.processes import ProcessManager, Step
from eventstore import subscriptions
from eventstore.models import CommandRecord, Subscription
from eventstore.signals import events_appended
from eventstore.store import read_all
from eventstore.subscription_states import states
from projections import queries
from tests.support.newer import freeze, newer_version
from tests.support.relay import OTHER, RELAY, SECOND, SOURCE, THIRD
from tests.support.relay.at_work import balances, poll, the_subscription
from tests.support.relay.at_work import managers as managers
from tests.support.values import count, deposit, query

pytestmark = pytest.mark.usefixtures("bank")


def close(account_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an account reject deposits."""
    whole = HANDLERS[DepositMoneyIntoBankAccount]

    def refuse(command: Any, *others: Any) -> Any:
        if command.account_id == account_id:
            raise CommandRejected(f"Account {account_id} takes nothing.")
        return whole(command, *others)

    monkeypatch.setitem(HANDLERS, DepositMoneyIntoBankAccount, refuse)


# Carrying out


def test_what_follows_from_an_event_is_carried_out_before_the_answer() -> None:
    ack = deposit(SOURCE, 50, actor="tina")
    assert balances() == [50, 50, 50, 0]
    cause, *followed = read_all()[-3:]
    assert cause.command_id == ack.command_id
    for event, name in zip(followed, ("second", "third"), strict=True):
        assert event.command_id == process_managers.command_id_of(cause, "relay", name)
        assert event.metadata == {
            "actor": "tina",
            "correlation_id": str(ack.command_id),
            "causation_id": f"bank_account-1@{ack.version}",
        }
    subscription = the_subscription()
    assert (subscription.position, subscription.error, subscription.worker) == (followed[-1].position, "", "")


def test_the_id_of_a_step_derives_from_event_manager_and_step() -> None:
    deposit(SOURCE, 50)
    event = read_all()[4]
    assert event.name == "bank_account-1@2"
    assert process_managers.command_id_of(event, "relay", "second") == UUID("04f6b2d0-ad61-5422-9bcf-bc59d2f5bd0b")


def test_a_rejection_leads_to_the_answer_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    close(SECOND, monkeypatch)
    deposit(SOURCE, 50)
    assert balances() == [50, 0, 50, 50]
    rejected = CommandRecord.objects.get(outcome="rejected")
    assert rejected.causation == "bank_account-1@2"
    assert rejected.stream == "bank_account-2"
    assert CommandRecord.objects.filter(causation="bank_account-1@2").count() == 3


def test_an_event_that_concerns_nobody_costs_no_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "rows", lambda names: pytest.fail("nothing follows from it"))
    deposit(SECOND, 50)


def test_in_worker_mode_a_command_leaves_it_to_the_worker(settings: Any) -> None:
    settings.PROJECTION_MODE = "worker"
    deposit(SOURCE, 50)
    assert count("eventstore_event") == 5
    poll()
    assert count("eventstore_event") == 7


def test_the_event_of_a_step_leads_to_further_steps(managers: dict[str, ProcessManager]) -> None:
    def steps(event: Any, metadata: Any) -> Any:
        if event.account_id != THIRD:
            return []
        return [Step("more", DepositMoneyIntoBankAccount(OTHER, 1))]

    managers["more"] = RELAY._replace(name="more", steps=steps)
    deposit(SOURCE, 50)
    assert balances() == [50, 50, 50, 1]
    last = read_all()[-1]
    assert last.metadata["causation_id"] == "bank_account-3@2"
    assert last.metadata["correlation_id"] == read_all()[4].metadata["correlation_id"]


def test_an_account_that_a_step_has_changed_is_cached_as_it_is_now(managers: dict[str, ProcessManager]) -> None:
    def steps(event: Any, metadata: Any) -> Any:
        return [Step("bonus", DepositMoneyIntoBankAccount(SOURCE, 1))] if event.amount == 50 else []

    managers[RELAY.name] = RELAY._replace(steps=steps)
    deposit(SOURCE, 50)
    cached = account_cache.get("bank_account-1")
    assert cached
    assert (cached.version, cached.aggregate.balance) == (3, 51)


# Exactly once


def test_a_step_carried_out_again_changes_nothing() -> None:
    deposit(SOURCE, 50)
    before = count("eventstore_event"), count("eventstore_commandrecord")
    for name, moved in (("relay", True), ("nobody", False)):
        assert (subscriptions.set_back(name) is not None) is moved
    poll()
    assert the_subscription().position == 7
    assert (count("eventstore_event"), count("eventstore_commandrecord")) == before


def test_a_step_is_not_carried_out_again_under_other_keys_or_with_other_content(
    managers: dict[str, ProcessManager], settings: Any
) -> None:
    deposit(SOURCE, 50)
    before = count("eventstore_event"), count("eventstore_commandrecord")
    settings.PIN_KEYS = ["a new one"]
    managers[RELAY.name] = RELAY._replace(
        steps=lambda event, metadata: [
            step._replace(command=DepositMoneyIntoBankAccount(THIRD, 1)) for step in RELAY.steps(event, metadata)
        ]
    )
    subscriptions.set_back(RELAY.name)
    poll()
    assert (the_subscription().error, the_subscription().position) == ("", 7)
    assert (count("eventstore_event"), count("eventstore_commandrecord")) == before


def test_nobody_can_take_the_id_of_a_step_beforehand() -> None:
    event = read_all()[0]._replace(version=2)
    taken = process_managers.command_id_of(event, RELAY.name, "second")
    with pytest.raises(CommandIdReused):
        deposit(SECOND, 7, command_id=taken)
    deposit(SOURCE, 50)
    assert balances() == [50, 50, 50, 0]


def test_a_replay_of_the_projections_issues_no_command() -> None:
    deposit(SOURCE, 50)
    query("DELETE FROM eventstore_subscription")
    before = count("eventstore_event"), count("eventstore_commandrecord")
    sent: list[object] = []

    def listen(**kwargs: object) -> None:
        sent.append(kwargs)

    events_appended.connect(listen)
    call_command("replay_projections", verbosity=0)
    events_appended.disconnect(listen)
    assert (count("eventstore_event"), count("eventstore_commandrecord")) == before
    assert sent == []
    assert count("eventstore_subscription") == 0


# Errors


def test_a_process_manager_that_raises_stops_at_the_event_and_goes_on_when_mended(
    managers: dict[str, ProcessManager],
) -> None:
    def fail(event: Any, metadata: Any) -> Any:
        raise ZeroDivisionError("a bug")

    managers |= {RELAY.name: RELAY._replace(steps=fail), "well": RELAY._replace(name="well")}
    deposit(SOURCE, 50)
    assert balances() == [50, 50, 50, 0], "the other subscription goes on"
    stopped = the_subscription()
    assert (stopped.error, stopped.failed_position, stopped.position) == ("ZeroDivisionError: a bug", 5, 0)
    assert stopped.failed_at
    assert stopped.worker == ""
    deposit(SECOND, 1)
    managers[RELAY.name] = RELAY
    deposit(SOURCE, 1)  # a request does not try the event again
    assert the_subscription().error
    poll()
    mended = the_subscription()
    assert (mended.error, mended.failed_position, mended.failed_at) == ("", None, None)
    assert balances() == [51, 103, 102, 0]


def test_a_rejection_without_an_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    close(THIRD, monkeypatch)
    deposit(SOURCE, 50)
    assert balances() == [50, 50, 0, 0]
    assert the_subscription().error == "CommandRejected: Account 3 takes nothing."


def test_an_event_of_a_newer_version_is_parked_until_a_version_that_knows_it_runs() -> None:
    frozen = freeze(OTHER)
    poll()
    parked = Subscription.objects.get(name="relay@5")
    assert (parked.error.partition(":")[0], parked.failed_position) == ("UnknownEvent", frozen.position)
    assert (the_subscription().error, the_subscription().position) == ("", 5)
    deposit(SOURCE, 50)
    assert balances()[:3] == [50, 50, 50], "what follows from later events does not wait"
    poll()
    assert Subscription.objects.count() == 2
    with newer_version("account_frozen"):
        poll()
    assert Subscription.objects.get() == the_subscription()


def test_an_event_whose_step_meets_an_unreadable_account_is_parked_alone() -> None:
    freeze(THIRD)
    account_cache._loaded.clear()
    first, later = deposit(SOURCE, 50), deposit(SOURCE, 7)
    assert queries.check_balance(SECOND) == 57, "the steps before that one are carried out, and later events answered"
    [state] = states([RELAY.name])
    assert (state.error, state.parked) == ("", 3), "with the unknown event itself"
    for ack in (first, later):
        assert Subscription.objects.get(name=f"relay@{ack.position}").error.startswith("UnreadableAccount: ")
    with newer_version("account_frozen"):
        poll()
    assert states([RELAY.name])[0].parked == 0
    amounts = {event.data["amount"] for event in read_all() if event.stream == "bank_account-3" and event.version > 2}
    assert amounts == {50, 7}
    before = count("eventstore_event")
    subscriptions.set_back(RELAY.name)
    with newer_version("account_frozen"):
        poll()
    assert count("eventstore_event") == before


@pytest.mark.parametrize("error", [Busy("busy"), dispatch.OutcomeUnknown("lost"), dispatch.InstallationFault("key")])
def test_a_busy_bank_is_no_error_of_the_process_manager(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: Any, **options: Any) -> Any:
        raise error

    monkeypatch.setattr(process_managers, "handle", fail)
    deposit(SOURCE, 50)
    assert (the_subscription().error, the_subscription().position, the_subscription().worker) == ("", 0, "")
    monkeypatch.setattr(process_managers, "handle", handle)
    poll()
    assert balances() == [50, 50, 50, 0]


def test_an_error_of_the_loop_fails_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "rows", lambda names: 1 / 0)
    assert deposit(SOURCE, 50).version == 2
