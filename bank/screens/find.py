"""The find box of the desk: one field for accounts, receipts and tasks.

It finds an account by its number or by parts of its holder's name, and a receipt by its reference. A number and a
letter, such as "4022 d", lead straight to a task.
"""

from typing import NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop

from projections import queries

from .pages import Request, account_or_none, how_fresh, page, show

MOST = 8
"""The largest number of accounts in the list under the box."""
TASKS = {
    "d": ("deposit", gettext_noop("Deposit into {}")),
    "w": ("withdraw", gettext_noop("Withdraw from {}")),
    "t": ("transfer", gettext_noop("Transfer from {}")),
}
"""The address and the words of the task of each letter."""


class Hit(NamedTuple):
    """A found thing: its address, its words, and if it is an account, the account.

    `is_exact` is true if the text can only mean this.
    """

    url: str
    words: str
    account: queries.Account | None = None
    is_exact: bool = False


@page
def find(request: Request) -> HttpResponse:
    """Show the hits under the box, or without JavaScript go to the one hit or to the list of accounts."""
    how_fresh(request)
    text = request.GET.get("q", "").replace("\0", "")[:100]
    hits = hits_of(request, text)
    if request.htmx:
        return show(request, "bank/hits.html", {"text": text, "hits": hits[:MOST], "more": len(hits) > MOST})
    if hits and (hits[0].is_exact or len(hits) == 1):
        return redirect(hits[0].url)
    return redirect(f"{reverse('accounts')}?{urlencode({'q': _task_in(text)[0]})}")


def hits_of(request: HttpRequest, text: str) -> list[Hit]:
    """Return what a text may mean, the exact hits first, and at most one more than `MOST`."""
    if not text.strip():
        return []
    number_of_task, letter = _task_in(text)
    if letter and request.user.has_perm("bank.serve_customers"):
        account = _numbered(number_of_task)
        if account and account.closed_at:
            return [_hit(account, is_exact=True)]
        if account:
            address, words = TASKS[letter]
            return [
                Hit(
                    reverse(address, args=[account.account_id]),
                    gettext(words).format(account.account_id),
                    account,
                    True,
                )
            ]
    hits = []
    if account := _numbered(text):
        hits.append(_hit(account, is_exact=True))
    number = queries.searched_number(text)
    if number and (command_id := queries.command_at(number)):
        hits.append(
            Hit(reverse("receipt", args=[command_id]), gettext("Receipt {}").format(number), is_exact=not account)
        )
    found = queries.find_accounts(text, limit=MOST + 1).rows
    return [*hits, *(_hit(each) for each in found if each != account)][: MOST + 1]


def _task_in(text: str) -> tuple[str, str]:
    """Return the number and the letter of a task, or the text and an empty letter."""
    *rest, letter = text.lower().split() or [""]
    number = " ".join(rest)
    return (number, letter) if letter in TASKS and queries.searched_number(number) else (text, "")


def _numbered(text: str) -> queries.Account | None:
    number = queries.searched_number(text)
    return account_or_none(number) if number else None


def _hit(account: queries.Account, *, is_exact: bool = False) -> Hit:
    return Hit(
        reverse("account", args=[account.account_id]),
        gettext("Account {}").format(account.account_id),
        account,
        is_exact,
    )
