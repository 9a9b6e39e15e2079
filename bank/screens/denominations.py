"""The notes and coins of common currencies, for the count of a till.

Sources: the issuing central banks' pages on the notes and coins in circulation (European Central Bank, Federal Reserve,
Bank of England, Swiss National Bank, Bank of Japan and the others), as of 2026.
"""

from collections.abc import Mapping, Sequence

from django.conf import settings

DENOMINATIONS: Mapping[str, Sequence[int]] = {
    "AUD": (100_00, 50_00, 20_00, 10_00, 5_00, 2_00, 1_00, 50, 20, 10, 5),
    "CAD": (100_00, 50_00, 20_00, 10_00, 5_00, 2_00, 1_00, 25, 10, 5),
    "CHF": (1000_00, 200_00, 100_00, 50_00, 20_00, 10_00, 5_00, 2_00, 1_00, 50, 20, 10, 5),
    "CZK": (5000_00, 2000_00, 1000_00, 500_00, 200_00, 100_00, 50_00, 20_00, 10_00, 5_00, 2_00, 1_00),
    "DKK": (1000_00, 500_00, 200_00, 100_00, 50_00, 20_00, 10_00, 5_00, 2_00, 1_00, 50),
    "EUR": (500_00, 200_00, 100_00, 50_00, 20_00, 10_00, 5_00, 2_00, 1_00, 50, 20, 10, 5, 2, 1),
    "GBP": (50_00, 20_00, 10_00, 5_00, 2_00, 1_00, 50, 20, 10, 5, 2, 1),
    "INR": (500_00, 200_00, 100_00, 50_00, 20_00, 10_00, 5_00, 2_00, 1_00, 50),
    "JPY": (10_000, 5_000, 2_000, 1_000, 500, 100, 50, 10, 5, 1),
    "KWD": (20_000, 10_000, 5_000, 1_000, 500, 250, 100, 50, 20, 10, 5),
    "NOK": (1000_00, 500_00, 200_00, 100_00, 50_00, 20_00, 10_00, 5_00, 1_00),
    "NZD": (100_00, 50_00, 20_00, 10_00, 5_00, 2_00, 1_00, 50, 20, 10),
    "PLN": (500_00, 200_00, 100_00, 50_00, 20_00, 10_00, 5_00, 2_00, 1_00, 50, 20, 10, 5, 2, 1),
    "SEK": (1000_00, 500_00, 200_00, 100_00, 50_00, 20_00, 10_00, 5_00, 2_00, 1_00),
    "USD": (100_00, 50_00, 20_00, 10_00, 5_00, 2_00, 1_00, 50, 25, 10, 5, 1),
}
"""The denominations of each currency in minor units, the largest first."""


def denominations() -> Sequence[int]:
    """Return the denominations of the bank's currency in minor units, or none if they are not listed."""
    return DENOMINATIONS.get(settings.BANK_CURRENCY, ())
