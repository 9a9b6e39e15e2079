"""The forms of the task screens. Each turns what a teller typed into a command, or shows an error at the field.

A form checks only whether text can be read. The bank's rules are in the aggregate.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID, uuid4

from django import forms
from django.template.loader import render_to_string
from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, gettext_lazy, gettext_noop, pgettext_lazy

from ..domain.commands import (
    CloseBankAccount,
    Command,
    CreateBankAccount,
    DepositMoneyIntoBankAccount,
    TransferMoneyBetweenBankAccounts,
    WithdrawMoneyFromBankAccount,
)
from ..domain.errors import CommandRejected
from . import check
from .fields import AccountNumberField, MoneyField, PinField, ReferenceField, SentOnce
from .languages import cached_by_language
from .money import format_money
from .rejections import in_users_language

NOT_COMPLETE = gettext_lazy("The form was not complete. Check it and send it again.")


class ShownForm(forms.Form):
    """A form that renders its fields once, and lists its errors with the fields that have them.

    A page sends its language along. If the user has chosen another one since, an amount might be read as another one,
    so the form is refused.
    """

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_bound and self.data.get("language", get_language()) != get_language():
            self.add_error(None, gettext("The language was changed meanwhile. Check the amounts and send it again."))

    begins_at_error = False
    """Whether the page begins in a field, although there are errors, and not in the list of errors."""

    def begin(self, *, again: bool = False) -> None:
        """Give the focus to the field that the next key is for.

        That is the first field with an error or with a PIN to type again, else the first one that is empty. If a page
        is shown `again` to change what was typed, it is the first field.
        """
        shown = self.visible_fields()
        self.begins_at_error = any(field.errors for field in shown)
        if self.errors and not self.begins_at_error:
            return
        if self.errors:
            wanted = [field for field in shown if field.errors or isinstance(field.field, PinField)]
        else:
            wanted = [field for field in shown if again or not field.value()] or shown
        for field in wanted[:1]:
            field.field.widget.attrs["autofocus"] = True

    @cached_property
    def shown_fields(self) -> SafeString:
        """The visible fields as HTML."""
        return render_to_string("bank/fields.html", {"form": self})

    @property
    def error_links(self) -> list[tuple[str, str]]:
        """Each error with the id of its field's widget, or with an empty id if it belongs to no visible field."""
        return [
            ("" if name == "__all__" or self[name].is_hidden else self[name].id_for_label, str(error))
            for name, errors in self.errors.items()
            for error in errors
        ]


class ReferenceForm(ShownForm):
    """A search for the receipt with a reference number."""

    reference = ReferenceField(
        label=gettext_lazy("Reference on the receipt"),
        error_messages={"required": gettext_lazy("Enter the number on the receipt.")},
    )


class TransferTarget(ShownForm):
    """The first step of a transfer: the other account, and the amount."""

    to_account_id = AccountNumberField(
        label=gettext_lazy("To account"),
        error_messages={"required": gettext_lazy("Enter the number of the account that gets the money.")},
    )
    amount = MoneyField(label=gettext_lazy("Amount"), error_messages={"required": gettext_lazy("Enter the amount.")})

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="transfer_%s")


@cached_by_language
def blank_target() -> TransferTarget:
    """Return the unbound form, rendered once; see `blank`."""
    return TransferTarget()


BUTTONS = {"Deposit": pgettext_lazy("a button", "Deposit"), "Withdraw": pgettext_lazy("a button", "Withdraw")}
"""The verbs that are headings too. A language may have a noun there."""


class TaskForm(ShownForm):
    """A form for one command. Each rendering has a new command id, under which the command is carried out once."""

    verb: ClassVar[str]
    about: ClassVar[str] = "account"
    advice: ClassVar[str] = ""
    looks_at_pin: ClassVar[bool] = False
    moves_cash: ClassVar[bool] = False
    wants_no_money: ClassVar[bool] = False
    echoes = False
    """Whether the address `echo/` below the form's own shows the amount and the balance after it."""
    verb_with_amount: ClassVar[str] = ""
    sign: ClassVar[int] = 0
    """The direction of the money: 1 into the account or till, -1 out of it."""
    repeated = 0
    """The amount of an earlier step in minor units, or 0."""
    carried_fields: Sequence[str] = ()
    """The hidden fields with the entries of an earlier step."""
    unrecorded_fields: ClassVar[Sequence[str]] = ()
    """The fields that the event of a refusal does not hold, and that the next try fills in."""
    command_id = forms.UUIDField(
        widget=SentOnce(attrs={"autocomplete": "off"}),
        error_messages=dict.fromkeys(("required", "invalid"), NOT_COMPLETE),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", f"{self.verb.split()[0].lower()}_%s")
        super().__init__(data, **kwargs)

    def command(self) -> Command:
        """Return the command of a valid form."""
        raise NotImplementedError

    def get_command_id(self) -> UUID:
        """Return the command id of a valid form."""
        command_id: UUID = self.cleaned_data["command_id"]
        return command_id

    @property
    def button(self) -> str:
        """The text of the button that sends the form."""
        if self.repeated:
            return gettext(self.verb_with_amount).format(format_money(self.repeated))
        return str(BUTTONS.get(self.verb) or gettext(self.verb))

    @property
    def is_large(self) -> bool:
        """Whether the form carries an amount that a teller has to confirm."""
        return check.is_needed(self.repeated)

    @property
    def confirms(self) -> bool:
        """Whether Enter in a field does not send the form, because that would be a habit."""
        return self.is_large

    @property
    def carried(self) -> list[forms.BoundField]:
        """The hidden fields with the entries of an earlier step."""
        return [self[name] for name in self.carried_fields]

    @property
    def fresh_id(self) -> str:
        """A new command id for this rendering. A form that is shown again never has the id that was sent."""
        return str(uuid4())

    def reject(self, rejection: CommandRejected) -> None:
        """Add the reason of a rejection as an error of the field that it names, or of the form."""
        shown = rejection.field in self.fields and rejection.field != "command_id"
        self.add_error(rejection.field if shown else None, in_users_language(str(rejection)))


class OpenAccountForm(TaskForm):
    verb = gettext_noop("Open account")
    account_id = AccountNumberField(
        label=gettext_lazy("Account number"),
        error_messages={"required": gettext_lazy("Enter the new account's number.")},
    )
    account_holder = forms.CharField(
        label=gettext_lazy("Account holder"),
        strip=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Enter the holder's name.")},
    )
    pin = PinField(
        label=gettext_lazy("PIN"),
        help_text=gettext_lazy("Four digits, typed by the customer."),
        error_messages={"required": gettext_lazy("The customer has to choose a PIN.")},
    )

    def command(self) -> Command:
        data = self.cleaned_data
        return CreateBankAccount(data["account_id"], data["account_holder"], data["pin"])


class AccountForm(TaskForm):
    """A form for a task at an existing account."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, account_id: int, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.account_id = account_id


@cached_by_language
def blank(form_class: type[AccountForm]) -> AccountForm:
    """Return the unbound form, which is the same for every account.

    One instance serves all requests in a language, so its fields are rendered once (docs/performance.md). Only
    templates may use it: they change nothing.
    """
    return form_class(account_id=0)


class AmountForm(TaskForm):
    """A form for an amount that the check page repeats if it is large.

    The check page has the same form. `confirmed` there holds the amount in minor units, and nobody can type it.
    """

    amount = MoneyField(label=gettext_lazy("Amount"), error_messages={"required": gettext_lazy("Enter the amount.")})
    confirmed = forms.CharField(required=False, widget=SentOnce(attrs={"autocomplete": "off"}))

    def repeat(self, amount: int) -> None:
        """Make this the form of the check page, which carries the amount and does not ask for it."""
        self.repeated, self.echoes = amount, False
        self.carried_fields = ("amount", "confirmed")
        self.fields["amount"].widget = SentOnce(attrs={"autocomplete": "off"})
        self.initial.update(amount=format_money(amount), confirmed=amount)


class DepositForm(AmountForm, AccountForm):
    verb = gettext_noop("Deposit")
    verb_with_amount = gettext_noop("Deposit {}")
    sign = 1
    moves_cash = True
    echoes = True

    def command(self) -> Command:
        return DepositMoneyIntoBankAccount(self.account_id, self.cleaned_data["amount"])


class WithdrawForm(DepositForm):
    verb = gettext_noop("Withdraw")
    verb_with_amount = gettext_noop("Pay out {}")
    sign = -1
    looks_at_pin = True
    pin = PinField(
        label=gettext_lazy("PIN"),
        help_text=gettext_lazy("Four digits, typed by the customer."),
        error_messages={"required": gettext_lazy("The customer has to enter the PIN.")},
    )

    def command(self) -> Command:
        data = self.cleaned_data
        return WithdrawMoneyFromBankAccount(self.account_id, data["amount"], data["pin"])


class TransferForm(AccountForm):
    """The second step of a transfer: the PIN. The first step's entries come along, hidden."""

    verb = gettext_noop("Send")
    verb_with_amount = gettext_noop("Send {}")
    sign = -1
    looks_at_pin = True
    carried_fields = ("to_account_id", "amount")
    unrecorded_fields = ("to_account_id",)
    to_account_id = AccountNumberField(
        widget=SentOnce(attrs={"autocomplete": "off"}), error_messages={"required": NOT_COMPLETE}
    )
    amount = MoneyField(widget=SentOnce(attrs={"autocomplete": "off"}), error_messages={"required": NOT_COMPLETE})
    pin = PinField(
        label=gettext_lazy("PIN"),
        help_text=gettext_lazy("Four digits, typed by the customer who sends the money."),
        error_messages={"required": gettext_lazy("The customer has to enter the PIN.")},
    )

    def command(self) -> Command:
        data = self.cleaned_data
        return TransferMoneyBetweenBankAccounts(self.account_id, data["to_account_id"], data["amount"], data["pin"])


class CloseForm(AccountForm):
    verb = gettext_noop("Close account")
    advice = gettext_noop("A closed account is never opened again. Its statement stays.")
    looks_at_pin = True
    wants_no_money = True
    pin = PinField(
        label=gettext_lazy("PIN"),
        help_text=gettext_lazy("Four digits, typed by the customer."),
        error_messages={"required": gettext_lazy("The customer has to enter the PIN.")},
    )

    def command(self) -> Command:
        return CloseBankAccount(self.account_id, self.cleaned_data["pin"])
