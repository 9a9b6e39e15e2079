"""The check page. Above `CONFIRM_ABOVE`, a task repeats who, what and how much before it is carried out.

The task's form leads to it, and changes nothing, so the page is a GET. A PIN that was typed into that form is dropped:
the check page asks for it.
"""

from decimal import Decimal
from typing import NamedTuple

from babel.numbers import get_currency_precision
from django.conf import settings

from ..domain.values import MAX_AMOUNT

USUAL = 10_000
USUAL_WITHOUT_CENTS = 1_000_000
LIMITS = {"CZK": 200_000, "DKK": 70_000, "INR": 500_000, "NOK": 100_000, "PLN": 40_000, "SEK": 100_000}
"""The default limits in units of the currency. Each is about 10,000 euros, or less."""


def limit() -> int:
    """Return the largest amount in minor units that is carried out without a check page, or 0 if every amount is."""
    currency, units = settings.BANK_CURRENCY, settings.CONFIRM_ABOVE
    digits = get_currency_precision(currency)
    if units is None:
        units = Decimal(LIMITS.get(currency, USUAL if digits else USUAL_WITHOUT_CENTS))
    return int(units.scaleb(digits))


def is_needed(amount: int) -> bool:
    """Return whether a teller has to confirm an amount. One that no command can move is refused by the form."""
    return 0 < limit() < amount <= MAX_AMOUNT


class Sums(NamedTuple):
    """A balance before a task, and the task's change of it, in minor units."""

    before: int
    change: int

    @property
    def after(self) -> int:
        return self.before + self.change
