"""The forms of tills: opening, cash from and to the vault, and the count with which a till is closed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.template.loader import render_to_string
from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy, gettext_noop

from ..domain.commands import BringCashFromVault, CloseTill, Command, OpenTill, TakeCashToVault
from .denominations import denominations
from .fields import MoneyField
from .forms import AmountForm, TaskForm
from .money import format_money, latin_digits


class TillNumberField(forms.CharField):
    """A till's number; its value is an integer."""

    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})

    def clean(self, value: Any) -> Any:
        text = latin_digits(super().clean(value))
        if not re.fullmatch("[0-9]{1,30}", text):
            raise forms.ValidationError(gettext("A till's number is a whole number."))
        return int(text)


class CashField(MoneyField):
    """An amount of cash in a till, which may be 0; its value is in minor units."""

    def clean(self, value: Any) -> Any:
        if re.fullmatch("0+(?:[.,]0*)?", latin_digits(str(value or ""))):
            return 0
        return super().clean(value)


class PiecesField(forms.CharField):
    """A number of notes or coins; its value is an integer, and 0 where nothing was typed."""

    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def clean(self, value: Any) -> Any:
        text = latin_digits(super().clean(value))
        if not re.fullmatch("[0-9]{0,9}", text):
            raise forms.ValidationError(gettext("Enter how many pieces there are, such as 12."))
        return int(text or 0)


class OpenTillForm(TaskForm):
    verb = gettext_noop("Open till")
    about = "till"
    till_id = TillNumberField(
        label=gettext_lazy("Number of the till"), error_messages={"required": gettext_lazy("Enter the till's number.")}
    )
    amount = CashField(
        label=gettext_lazy("Cash in the till"),
        help_text=gettext_lazy("Count it first. Enter 0 if it is empty."),
        error_messages={"required": gettext_lazy("Enter the cash in the till, or 0.")},
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, teller: str, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.teller = teller

    def command(self) -> Command:
        return OpenTill(self.cleaned_data["till_id"], self.teller, self.cleaned_data["amount"])


class ShiftForm(TaskForm):
    """A form for a task at a till in one shift."""

    about = "till"

    def __init__(self, data: Mapping[str, Any] | None = None, *, till_id: int, shift: int, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.till_id, self.shift = till_id, shift


class VaultForm(AmountForm, ShiftForm):
    """A form for cash between a till and the vault."""

    command_class: ClassVar[type[BringCashFromVault | TakeCashToVault]]

    def command(self) -> Command:
        return self.command_class(self.till_id, self.shift, self.cleaned_data["amount"])


class BringForm(VaultForm):
    verb = gettext_noop("Bring from the vault")
    verb_with_amount = gettext_noop("Bring {} from the vault")
    sign = 1
    command_class = BringCashFromVault


class TakeForm(VaultForm):
    verb = gettext_noop("Take to the vault")
    verb_with_amount = gettext_noop("Take {} to the vault")
    sign = -1
    command_class = TakeCashToVault


@dataclass(frozen=True)
class Sums:
    """A count so far, and its difference from the expected cash. All are in minor units."""

    counted: int
    expected: int

    @property
    def difference(self) -> int:
        return self.counted - self.expected


class CountForm(ShiftForm):
    """The count of a till's cash by denomination, or as one amount if the currency's denominations are not listed.

    Args:
        expected: the expected cash in minor units.
    """

    verb = gettext_noop("Close till")
    advice = gettext_noop(
        "Count all cash. Then the till is closed, and what was counted is compared with what it should hold."
    )
    confirms = True

    def __init__(self, data: Mapping[str, Any] | None = None, *, expected: int, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.expected = expected
        self.pieces = {f"pieces_{each}": each for each in denominations()}
        for name, denomination in self.pieces.items():
            self.fields[name] = PiecesField(label=format_money(denomination))
        if not self.pieces:
            self.fields["amount"] = CashField(
                label=gettext_lazy("Cash in the till"),
                error_messages={"required": gettext_lazy("Enter the cash in the till, or 0.")},
            )

    @cached_property
    def shown_fields(self) -> SafeString:
        """The count as HTML, with its sums."""
        return render_to_string("bank/count.html", {"form": self})

    @property
    def counts(self) -> Sequence[tuple[int, int]]:
        """The readable part of the count: each denomination with its number of pieces, if there are any."""
        data = getattr(self, "cleaned_data", {})
        if not self.pieces:
            return [(1, data["amount"])] if data.get("amount") else []
        return [(denomination, data[name]) for name, denomination in self.pieces.items() if data.get(name)]

    @property
    def sums(self) -> Sums:
        assert self.errors is not None, "reading them reads the count"
        return Sums(sum(denomination * pieces for denomination, pieces in self.counts), self.expected)

    def clean(self) -> None:
        if self.pieces and not any(self.data.get(name, "").strip() for name in self.pieces):
            raise forms.ValidationError(gettext("Enter the count. If the till is empty, enter 0 somewhere."))

    def command(self) -> Command:
        return CloseTill(self.till_id, self.shift, tuple(self.counts))
