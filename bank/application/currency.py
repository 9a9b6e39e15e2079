"""The currency of recorded amounts.

Amounts are integers of minor units, so another currency, or another number of decimals, would change the meaning of the
whole record. The currency is recorded with the first account. A process with another one refuses to work.
"""

import json
from contextlib import nullcontext
from typing import NamedTuple

from babel.numbers import get_currency_precision
from django.conf import settings
from django.db import connections
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext_noop

from eventstore import seals, store
from eventstore.backends import WRITE_SIDE, backend_of

from ..operations.installation import InstallationFault

ID = 1
"""The primary key of the table's one row."""
_INSERT = "INSERT INTO bank_recordedcurrency (id, code, decimals, seal) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"
_SELECT = "SELECT code, decimals FROM bank_recordedcurrency WHERE id = %s"
_SELECT_ALL = "SELECT id, code, decimals, seal FROM bank_recordedcurrency ORDER BY id"


class Currency(NamedTuple):
    """An ISO 4217 code, and the number of decimals of an amount."""

    code: str
    decimals: int

    def __str__(self) -> str:
        return f"{self.code} {self.decimals}"

    @property
    def seal_text(self) -> str:
        """The text that a row's seal covers."""
        return json.dumps(["currency", *self])


class WrongCurrency(InstallationFault):
    """The settings name another currency than the record."""

    explanation = gettext_noop("this program is set up for another currency than this bank has.")


_confirmed: tuple[object, Currency] | None = None
"""The database whose currency this process has compared, and the currency. A recorded currency never changes."""


def configured() -> Currency:
    """Return the currency of the settings."""
    return Currency(settings.BANK_CURRENCY, get_currency_precision(settings.BANK_CURRENCY))


def check() -> None:
    """Compare the recorded currency, if there is one, with the settings.

    Raises:
        WrongCurrency
    """
    global _confirmed
    if not is_confirmed() and (rows := backend_of().rows(_SELECT, [ID])):
        _compare(Currency(*rows[0]))
        _confirmed = connections.settings[WRITE_SIDE], configured()


def settle() -> None:
    """Compare the recorded currency with the settings. Record it if an earlier version opened the first account.

    Raises:
        WrongCurrency
    """
    if is_confirmed():
        return
    check()
    if not is_confirmed() and store.last_position():
        with backend_of().transaction() as cursor:
            record(cursor)
        check()


def is_confirmed() -> bool:
    """Return whether this process has compared the recorded currency with the settings."""
    return (
        _confirmed is not None
        and _confirmed[0] is connections.settings[WRITE_SIDE]
        and _confirmed[1].code == settings.BANK_CURRENCY
    )


def record(cursor: CursorWrapper | None = None) -> None:
    """Record the currency of the settings within the caller's transaction, unless one is recorded.

    Raises:
        WrongCurrency: another process has recorded another one.
    """
    if is_confirmed():
        return
    wanted = configured()
    with nullcontext(cursor) if cursor else connections[WRITE_SIDE].cursor() as each:
        each.execute(_SELECT, [ID])
        if not (row := each.fetchone()):
            each.execute(_INSERT, [ID, *wanted, seals.seal(wanted.seal_text)])
            each.execute(_SELECT, [ID])  # on PostgreSQL, another process may have been first
            row = each.fetchone()
        _compare(Currency(*row))


def _compare(recorded: Currency) -> None:
    wanted = configured()
    if recorded.code != wanted.code:
        raise WrongCurrency(
            f"This bank keeps its amounts in {recorded.code}, and BANK_CURRENCY is {wanted.code}. "
            f"Set BANK_CURRENCY={recorded.code}. No command converts a bank."
        )
    if recorded != wanted:
        raise WrongCurrency(
            f"This bank keeps its amounts in {recorded.code} with {recorded.decimals} decimals, and the installed "
            f"Babel gives it {wanted.decimals}. Install the version of Babel that the bank ran with."
        )


def rows(using: str) -> list[tuple[object, ...]]:
    """Return id, code, decimals and seal of each row, unchecked."""
    return [tuple(row) for row in backend_of(using).chunked_rows(_SELECT_ALL)]
