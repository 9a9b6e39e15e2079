"""The forms of supervisors' tasks: corrections, and what opens a locked account."""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.utils.translation import gettext, gettext_lazy, gettext_noop

from ..domain.commands import ChangePin, Command, ReverseDeposit, ReverseWithdrawal, UnlockPin
from .fields import PinField
from .forms import AccountForm


class ReverseForm(AccountForm):
    """A form for the reversal of what a command recorded at an account."""

    advice = gettext_noop("Nothing is deleted: the correction is a line of its own, on this day.")
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        strip=False,
        help_text=gettext_lazy("It is printed on the statement and on both receipts."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Say why this is reversed.")},
    )
    command_class: ClassVar[type[ReverseDeposit | ReverseWithdrawal]]

    def __init__(self, data: Mapping[str, Any] | None = None, *, reversed_command_id: UUID, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.reversed_command_id = reversed_command_id

    def command(self) -> Command:
        return self.command_class(self.account_id, self.reversed_command_id, self.cleaned_data["reason"])


class ReverseDepositForm(ReverseForm):
    verb = gettext_noop("Reverse the deposit")
    verb_with_amount = gettext_noop("Reverse the deposit of {}")
    sign = -1
    command_class = ReverseDeposit


class ReverseWithdrawalForm(ReverseForm):
    verb = gettext_noop("Reverse the withdrawal")
    verb_with_amount = gettext_noop("Reverse the withdrawal of {}")
    sign = 1
    command_class = ReverseWithdrawal


class UnlockForm(AccountForm):
    verb = gettext_noop("Unlock")
    advice = gettext_noop("First let the customer prove who they are. Then all attempts at the PIN are there again.")

    def command(self) -> Command:
        return UnlockPin(self.account_id)


class ChangePinForm(AccountForm):
    verb = gettext_noop("Change PIN")
    advice = gettext_noop(
        "First let the customer prove who they are. The new PIN counts at once, and opens a locked account."
    )
    pin = PinField(
        label=gettext_lazy("New PIN"),
        help_text=gettext_lazy("Four digits, typed by the customer."),
        error_messages={"required": gettext_lazy("The customer has to choose a PIN.")},
    )
    pin_again = PinField(
        label=gettext_lazy("New PIN again"),
        help_text=gettext_lazy("Nobody sees what is typed, so a slip would lock the customer out."),
        error_messages={"required": gettext_lazy("The customer has to type the new PIN twice.")},
    )

    def clean_pin_again(self) -> int:
        again: int = self.cleaned_data["pin_again"]
        if again != self.cleaned_data.get("pin", again):
            raise forms.ValidationError(gettext("That is not the PIN that was typed first."))
        return again

    def command(self) -> Command:
        return ChangePin(self.account_id, self.cleaned_data["pin"])
