"""Handling of a command and projection of its events, both through the ORM."""

from functools import reduce
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from bank.application.dispatch import Ack
from bank.domain.account import BankAccount
from bank.domain.commands import Command, CreateBankAccount, DepositMoneyIntoBankAccount
from bank.domain.events import BankAccountCreated, MoneyDepositedIntoBankAccount, decode, encode
from bank.domain.streams import OfAccount
from projections.models import AccountSummary, BankTotals, DailyTotals, StatementLine
from projections.name_search import search_form
from tests.benchmarks.naive.models import Event


def handle(command: Command, *, command_id: UUID | None = None, actor: str = "", **others: Any) -> Ack:
    """Carry out a command that opens an account or deposits money."""
    with transaction.atomic(using="default"):
        assert isinstance(command, OfAccount)
        stored = Event.objects.filter(stream=command.stream).order_by("version")
        history: list[Any] = [decode(event.type, event.schema_version, event.data) for event in stored]
        account = reduce(BankAccount.apply, history, BankAccount(command.account_id))
        match command:
            case CreateBankAccount():
                happened: Any = account.create(command.account_holder, command.pin)
            case DepositMoneyIntoBankAccount():
                happened = account.deposit(command.amount)
            case _:
                raise NotImplementedError
        event_type, data = encode(happened)
        event = Event.objects.create(
            stream=command.stream,
            version=len(history) + 1,
            type=event_type,
            data=data,
            metadata={"actor": actor},
            command_id=command_id or uuid4(),
            recorded_at=timezone.now(),
        )
    project(event)
    token = f"0-{event.position}"
    return Ack(command.stream, event.version, event.position, (happened,), False, event.command_id, token)


def project(event: Event) -> None:
    """Update the read side's tables."""
    happened = decode(event.type, event.schema_version, event.data)
    with transaction.atomic(using="projections"):
        totals, _ = BankTotals.objects.get_or_create(
            id=1, defaults={"accounts": 0, "balance_low": 0, "paid_in_low": 0, "paid_out_low": 0}
        )
        none = dict.fromkeys(
            ("accounts_opened", "deposits", "paid_in_low", "withdrawals", "paid_out_low", "refusals"), 0
        )
        day, _ = DailyTotals.objects.get_or_create(day=timezone.localdate(event.recorded_at), defaults=none)
        if isinstance(happened, BankAccountCreated):
            summary = AccountSummary(
                account_id=happened.account_id,
                account_holder=happened.account_holder,
                search_name=search_form(happened.account_holder),
                balance=0,
                opened_at=event.recorded_at,
                wrong_pins=0,
                pin_locked=False,
            )
            totals.accounts, day.accounts_opened = F("accounts") + 1, F("accounts_opened") + 1
            kind, amount = "opened", 0
        else:
            assert isinstance(happened, MoneyDepositedIntoBankAccount)
            summary = AccountSummary.objects.get(account_id=happened.account_id)
            kind, amount = "deposit", happened.amount
            totals.balance_low, totals.paid_in_low = F("balance_low") + amount, F("paid_in_low") + amount
            day.deposits, day.paid_in_low = F("deposits") + 1, F("paid_in_low") + amount
        summary.balance += amount
        summary.version, summary.last_event_at = event.version, event.recorded_at
        summary.save()
        totals.save()
        day.save()
        StatementLine.objects.create(
            position=event.position,
            account_id=happened.account_id,
            version=event.version,
            kind=kind,
            amount=amount,
            balance=summary.balance,
            recorded_at=event.recorded_at,
            actor=event.metadata["actor"],
            command_id=event.command_id,
        )
