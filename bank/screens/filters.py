"""The forms that limit a list: to a period, to kinds, to a teller, to an account."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext, gettext_lazy

from .dates import beginning_of, end_of
from .fields import AccountNumberField, DayField
from .forms import ShownForm


class PeriodFilter(ShownForm):
    """The days to which a list is limited."""

    FIELDS: ClassVar = {"from", "to"}
    PREFIX: ClassVar = "period"

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id=f"{self.PREFIX}_%s")
        self.fields = {  # "from" is no name in Python
            "from": DayField(label=gettext_lazy("From"), required=False),
            "to": DayField(label=gettext_lazy("To"), required=False),
            **self.fields,
        }

    @property
    def days(self) -> tuple[date | None, date | None]:
        """The first and the last day of a form without errors."""
        if not self.is_bound:
            return None, None
        return self.cleaned_data["from"], self.cleaned_data["to"]

    @property
    def times(self) -> tuple[datetime | None, datetime | None]:
        """The time at which the first day begins, and that at which the last one ends."""
        first, last = self.days
        return beginning_of(first) if first else None, end_of(last) if last else None

    def clean(self) -> None:
        first, last = self.cleaned_data.get("from"), self.cleaned_data.get("to")
        if first and last and first > last:
            self.add_error("from", gettext("The first day comes after the last one."))


class KindFilter(PeriodFilter):
    """A period, and one kind from a list."""

    FIELDS: ClassVar = {"from", "to", "kind"}

    def __init__(self, data: Mapping[str, Any] | None = None, *, kinds: Mapping[str, str]) -> None:
        super().__init__(data)
        unknown = {"invalid_choice": gettext_lazy("Choose a kind from the list.")}
        self.fields["kind"] = forms.ChoiceField(
            label=gettext_lazy("Kind"), required=False, choices=[*kinds.items()], error_messages=unknown
        )


class StatementFilter(KindFilter):
    """The days and the kinds to which a statement is limited."""

    PREFIX: ClassVar = "statement"

    def __init__(self, data: Mapping[str, Any] | None = None, *, kinds: Mapping[str, str]) -> None:
        super().__init__(data, kinds=kinds)
        self.fields["to"].help_text = gettext_lazy("Fill in only this one to jump to a day.")


class OptionalAccountField(AccountNumberField):
    """The number of an account, or None where nothing was typed."""

    def clean(self, value: Any) -> Any:
        return super().clean(value) if value and value.strip() else None


class RefusalFilter(KindFilter):
    """The refusals of a period, of a reason, of a teller or of an account."""

    FIELDS: ClassVar = {"from", "to", "kind", "teller", "account"}
    PREFIX: ClassVar = "refusals"

    def __init__(self, data: Mapping[str, Any] | None = None, *, kinds: Mapping[str, str]) -> None:
        super().__init__(data, kinds=kinds)
        self.fields["teller"] = forms.CharField(label=gettext_lazy("Teller"), required=False, max_length=150)
        self.fields["account"] = OptionalAccountField(label=gettext_lazy("Account"), required=False)
