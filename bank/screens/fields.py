"""The fields of the forms: each reads what a teller typed, or says what is wrong with it."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext, gettext_noop

from .dates import NotADay, parse_day, respelled
from .money import NotAnAmount, latin_digits, parse_money


class MoneyField(forms.CharField):
    """An amount in the bank's currency; its value is in minor units."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return parse_money(text)
        except NotAnAmount as error:
            raise forms.ValidationError(str(error)) from error


class PinField(forms.CharField):
    """A PIN of four digits, which is never rendered; its value is an integer."""

    # Browsers ignore "off" for passwords: they would offer to save a PIN, and fill it in for the next customer.
    widget = forms.PasswordInput(
        render_value=False, attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "maxlength": "4"}
    )

    def clean(self, value: Any) -> Any:
        text = latin_digits(super().clean(value))
        if not re.fullmatch("[0-9]{4}", text):
            raise forms.ValidationError(gettext("A PIN has exactly four digits."))
        return int(text)


class WholeNumberField(forms.CharField):
    """A whole number; its value is an integer."""

    misread: ClassVar = gettext_noop("That is a whole number.")
    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})

    def clean(self, value: Any) -> Any:
        text = latin_digits(super().clean(value))
        if not re.fullmatch("[0-9]{1,30}", text):
            raise forms.ValidationError(gettext(self.misread))
        return int(text)


class AccountNumberField(WholeNumberField):
    misread = gettext_noop("An account number is a whole number.")


class ReferenceField(WholeNumberField):
    misread = gettext_noop("A reference is a whole number, as on the receipt.")


class DayField(forms.CharField):
    """A day; its value is a date, or None where nothing was typed."""

    widget = forms.TextInput(attrs={"autocomplete": "off"})

    def bound_data(self, data: Any, initial: Any) -> Any:
        return respelled(data) if data else data

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return parse_day(text) if text else None
        except NotADay as error:
            raise forms.ValidationError(str(error)) from error


class SentOnce(forms.HiddenInput):
    """A hidden input that counts as missing if it was sent twice, because either value could be the intended one."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        values = data.getlist(name) if isinstance(data, MultiValueDict) else [data.get(name)]
        return values[0] if len(values) == 1 else None
