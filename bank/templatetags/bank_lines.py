"""The lines of statements, as HTML that is written by hand: a page has 25 of them, and a template's cost a page's most.

What people have typed, names of holders and users, is escaped here.
"""

from collections.abc import Iterable
from functools import cache, lru_cache
from uuid import UUID

from django import template
from django.urls import get_script_prefix, reverse
from django.utils.html import escape
from django.utils.safestring import SafeString

from bank.screens.money import format_money
from projections.queries import Entry

from .bank_format import when

register = template.Library()

WORDS = {
    "opened": "Account opened",
    "deposit": "Deposit",
    "withdrawal": "Withdrawal",
    "locked": "Withdrawals locked",
    "unlocked": "Withdrawals unlocked",
    "new_pin": "New PIN",
    "invalid_pin": "Refused: wrong PIN",
    "withdrawal_blocked": "Refused: withdrawals are locked",
    "account_overdrawn": "Refused: not enough money",
}
SIGNS = {"deposit": "+", "withdrawal": "\u2212"}  # U+2212 is the minus sign
_ANY_ID, _ANY_NUMBER = UUID(int=2**128 - 1), 2**63 - 1


@register.filter
def in_words(kind: str) -> str:
    """Say what kind of thing happened."""
    return WORDS[kind]


@register.simple_tag
def lines(entries: Iterable[Entry], *, with_account: bool = False) -> SafeString:
    """Show entries as the rows of a table, with the account and its holder where the table is of several."""
    prefix = get_script_prefix()
    return SafeString("\n".join([_line(entry, with_account, prefix) for entry in entries]))


@cache
def _addresses(prefix: str) -> tuple[str, str]:
    """Return the addresses of any receipt and of any account, with a %s in them."""
    receipt, account = reverse("receipt", args=[_ANY_ID]), reverse("account", args=[_ANY_NUMBER])
    return receipt.replace(str(_ANY_ID), "%s"), account.replace(str(_ANY_NUMBER), "%s")


@lru_cache(maxsize=4096)
def _line(entry: Entry, with_account: bool, prefix: str) -> str:
    """Return the row of an entry. It is made of nothing else, and kept: what has happened is shown again and again."""
    kind, refused = entry.kind, entry.is_refusal
    receipt, account = _addresses(prefix)
    what, amount, balance, place = WORDS[kind], "", "", ""
    if kind in ("unlocked", "new_pin"):
        what += f" by {escape(entry.actor or 'the system')}"
    if refused:
        amount = f'<span class="none" title="asked for, not paid">({format_money(entry.amount)})</span>'
    elif kind in SIGNS:
        amount = SIGNS[kind] + format_money(entry.amount)
    if entry.balance is not None and not refused and not entry.is_about_pin:
        balance = format_money(entry.balance)
    if with_account:
        number = entry.account_id
        place = f'<td class="wrap"><a href="{account % number}">{number}</a> {escape(entry.account_holder)}</td>'
    return (
        f"<tr{' class="refused"' if refused or kind == 'locked' else ''}>"
        f'<td><time datetime="{entry.recorded_at.isoformat()}">{when(entry.recorded_at)}</time></td>{place}'
        f'<td class="wrap">{what}</td><td class="number">{amount}</td><td class="number">{balance}</td>'
        f'<td><a href="{receipt % entry.command_id}">{entry.position}</a></td></tr>'
    )
