"""The display of the bank's events and states in the inspector: titles, labels, amounts as money, and links."""

from collections.abc import Mapping

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop

from eventstore.admin.display import Display
from eventstore.models import Event
from projections.kinds import KIND_OF
from projections.till_kinds import TILL_KIND_OF

from ..domain.events import MoneyTransferCompleted
from ..domain.streams import ACCOUNT, TILL
from .money import format_money, plain_decimal

AMOUNTS = {
    *("amount", "amount_requested", "balance", "on_its_way"),
    *("openingCash", "opening_cash", "cash", "expected", "counted", "difference", "late"),
    *("paid_in", "paid_out"),
}
"""The entries of payloads, states and tables that are amounts of money."""
LABELS = {
    "amount": gettext_noop("Amount"),
    "amount_requested": gettext_noop("Amount requested"),
    "balance": gettext_noop("Balance"),
    "cash": gettext_noop("Cash"),
    "closed": gettext_noop("Closed"),
    "counted": gettext_noop("Counted"),
    "difference": gettext_noop("Difference"),
    "expected": gettext_noop("Expected"),
    "late": gettext_noop("Recorded late"),
    "on_its_way": gettext_noop("On its way"),
    "opening_cash": gettext_noop("Opening cash"),
    "paid_in": gettext_noop("Paid in"),
    "paid_out": gettext_noop("Paid out"),
    "reason": gettext_noop("Reason"),
    "receipt": gettext_noop("Receipt"),
    "reversed_commands": gettext_noop("Reversed commands"),
    "shift": gettext_noop("Shift"),
    "teller": gettext_noop("Teller"),
    "accountHolder": gettext_noop("Holder"),
    "account_holder": gettext_noop("Holder"),
    "accountId": gettext_noop("Account"),
    "account_id": gettext_noop("Account"),
    "toAccountId": gettext_noop("To account"),
    "fromAccountId": gettext_noop("From account"),
    "tillId": gettext_noop("Till"),
    "till_id": gettext_noop("Till"),
    "commandId": gettext_noop("Command"),
    "reversedCommandId": gettext_noop("Reversed command"),
    "transferId": gettext_noop("Transfer"),
    "openingCash": gettext_noop("Opening cash"),
    "wrong_pins": gettext_noop("Wrong PINs in a row"),
    "pin_locked": gettext_noop("Withdrawals locked"),
}
"""The labels of entries."""
TITLES = {
    **{event.stored_type: kind.words for event, kind in KIND_OF.items()},
    **{event.stored_type: kind.words for event, kind in TILL_KIND_OF.items()},
    MoneyTransferCompleted.stored_type: gettext_noop("Transfer completed"),
}
"""The titles of events."""


class BankDisplay(Display):
    """Amounts as money, and links to accounts and receipts for users who may see them."""

    figures = {ACCOUNT: "balance", TILL: "cash"}

    def title(self, event_type: str) -> str:
        return gettext(TITLES[event_type]) if event_type in TITLES else event_type.replace("_", " ").capitalize()

    def label(self, name: str) -> str:
        return gettext(LABELS[name]) if name in LABELS else name.replace("_", " ").capitalize()

    def unit(self, name: str) -> str:
        return settings.BANK_CURRENCY if name in AMOUNTS else ""

    def text(self, name: str, value: object) -> str:
        match value:
            case bool():
                return gettext("yes") if value else gettext("no")
            case int():
                return format_money(value) if name in AMOUNTS else f"{value}"
            case Mapping():
                return ", ".join(_transfer(each) for each in value.values()) or gettext("none")
            case list() | tuple():
                return ", ".join(map(str, value)) or gettext("none")
        return "-" if value is None or value == "" else f"{value}"

    def plain(self, name: str, value: object) -> str:
        return plain_decimal(value) if isinstance(value, int) and name in AMOUNTS else super().plain(name, value)

    def pages(self, event: Event, user: AbstractBaseUser | AnonymousUser) -> Mapping[str, str]:
        if not user.has_perm("bank.view_accounts"):  # type: ignore[union-attr]
            return {}
        numbers = {name: event.data.get(name) for name in ("accountId", "toAccountId", "fromAccountId")}
        accounts = {
            name: reverse("account", args=[number])
            for name, number in numbers.items()
            if type(number) is int and number >= 0
        }
        return {**accounts, "receipt": reverse("receipt", args=[event.command_id])}


def _transfer(value: object) -> str:
    """Return a transfer of `BankAccount.on_its_way`, which is a list in a snapshot."""
    match value:
        case int(to_account_id), int(amount):
            return gettext("{amount} to {account}").format(amount=format_money(amount), account=to_account_id)
    return f"{value}"
