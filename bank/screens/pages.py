"""The pages, which read projections, and helpers of all screens. Views use forms, `handle` and the queries only."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET
from django_htmx.middleware import HtmxDetails

from projections import freshness, queries
from projections.replicas import reads

from ..access.cookies import cookie
from ..access.sessions import POLL
from ..domain.commands import TransferMoneyBetweenBankAccounts
from ..domain.streams import stream_of
from . import live
from .forms import ReferenceForm
from .money import format_money
from .unavailable import AccountNotShown

EDIT = "edit"
"""The query parameter that shows the first step of a task again, with its entries."""
LATEST = 5
"""The number of the last lines of an account that a task and its receipt show."""
SEEN = "bank_position"
"""The cookie with the read-your-writes token of the last event that this browser was shown."""


class Request(HttpRequest):
    """A request as our middleware leaves it."""

    htmx: HtmxDetails


may_look = permission_required("bank.view_accounts", raise_exception=True)


def page(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Make a view a page for users with `bank.view_accounts`."""

    @wraps(view)
    def answer(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if live.asks(request):
            live.pulse.admit(request)
        return response

    return require_GET(may_look(reads(answer)))


@page
def accounts(request: Request) -> HttpResponse:
    """Show the accounts, or those that match a number or part of a holder's name."""
    fresh = how_fresh(request)
    text, closed, locked = request.GET.get("q", "")[:100], "closed" in request.GET, "locked" in request.GET
    if (number := queries.searched_number(text)) and not request.htmx:
        try:
            return redirect("account", queries.find_account(number).account_id)
        except queries.UnknownAccount:
            pass
    context = {
        "freshness": fresh,
        "parked": parked_accounts(fresh),
        "text": text,
        "closed": closed,
        "locked": locked,
        "page": queries.find_accounts(
            text, closed=closed, locked=locked, after=whole_number(request.GET.get("after")) or 0
        ),
        "again": urlencode({"q": text, **({"closed": 1} if closed else {}), **({"locked": 1} if locked else {})}),
    }
    return show(request, "bank/accounts.html", context, part="list", shown=context["page"])


@page
def receipt(request: Request, command_id: UUID) -> HttpResponse:
    """Show the entries of a command, its rejection, or that nothing is recorded (404)."""
    fresh = how_fresh(request)
    entry, outcome = queries.receipt(command_id), None
    if entry is None and (at_till := queries.shift_of_command(command_id)):
        return redirect("shift", *at_till)
    if entry is None:
        outcome = queries.outcome(command_id)
        if outcome is None or not outcome.accepted:
            missing = {"outcome": outcome, "command_id": command_id}
            return show(request, "bank/no_receipt.html", missing, status=200 if outcome else 404)
        entry = queries.receipt(command_id)
    context: dict[str, Any] = {"freshness": fresh, "entry": entry, "command_id": command_id}
    if entry is None and outcome is not None and fresh.parked:
        context["parked"] = queries.parked_stream(outcome.stream)
    elif entry is not None:
        context["parked"] = parked_account(fresh, entry.account_id)
        context["latest"] = queries.statement(entry.account_id, limit=LATEST).rows
    if entry and entry.is_refusal:
        is_transfer = queries.command_name(command_id) == TransferMoneyBetweenBankAccounts.stored_name
        context |= next_try(entry, request.GET.get("to_account_id", "")[:20]) if is_transfer else next_try(entry)
    if entry and entry.is_correction and entry.about_command_id:
        context["about"] = queries.receipt(entry.about_command_id)
    if entry and entry.other_account_id is not None and entry.about_command_id:
        context |= of_transfer(entry, entry.about_command_id)
    if entry and entry.kind == "invalid_pin" and not fresh.behind:
        context["attempts_left"] = attempts_left(entry)
    return show(request, "bank/receipt.html", context, shown={**context, "freshness": None})


@page
def find_receipt(request: Request) -> HttpResponse:
    """Redirect to the receipt with a reference number, or show the form."""
    fresh = how_fresh(request)
    form = ReferenceForm(request.GET if "reference" in request.GET else None)
    if form.is_bound and form.is_valid():
        if command_id := queries.command_at(form.cleaned_data["reference"]):
            return redirect("receipt", command_id)
        form.add_error("reference", gettext("No receipt of the bank has this reference."))
    form.begin()
    context = {"freshness": fresh, "form": form}
    return show(request, "bank/find_receipt.html", context, status=422 if form.is_bound else 200)


def next_try(refusal: queries.Entry, to_account_id: str | None = None) -> dict[str, str]:
    """Return the task of a refusal, and its URL with what was typed: the amount, or the balance if that is less.

    `to_account_id` is None unless the task is a transfer. It is empty if it is not known, and then asked for again.
    """
    task = "withdraw" if to_account_id is None else "transfer"
    amount = refusal.amount if refusal.balance is None else min(refusal.amount, refusal.balance)
    typed: dict[str, Any] = {"amount": amount}
    if to_account_id is not None:
        typed = {"to_account_id": to_account_id, "amount": format_money(amount), **({} if to_account_id else {EDIT: 1})}
    return {"task": task, "next_try": f"{reverse(task, args=[refusal.account_id])}?{urlencode(typed)}"}


def of_transfer(entry: queries.Entry, transfer_id: UUID) -> dict[str, Any]:
    """Return the transfer of an entry, and the number and holder of the other account."""
    transfer = queries.find_transfer(transfer_id)
    return {"transfer": transfer, "other": (entry.other_account_id, entry.other_holder)}


def attempts_left(refusal: queries.Entry) -> int | None:
    """Return the number of wrong PINs left before the account locks, or None if the account has a newer entry."""
    account = account_or_404(refusal.account_id)
    if account.pin_locked or account.version != refusal.version:
        return None
    return max(settings.PIN_ATTEMPTS - account.wrong_pins, 1)


# Common to all


def account_or_404(account_id: int) -> queries.Account:
    """Return an account.

    Raises:
        AccountNotShown: it is recorded, but parked from its first event on.
        Http404: there is no such account. The answer is a page of its own.
    """
    try:
        return queries.find_account(account_id)
    except queries.UnknownAccount as error:
        if parked := queries.parked_stream(stream_of(account_id)):
            raise AccountNotShown(parked.since) from error
        raise Http404(str(error)) from error


def account_or_none(account_id: int) -> queries.Account | None:
    """Return an account, or None if the read side does not have it."""
    try:
        return queries.find_account(account_id)
    except queries.UnknownAccount:
        return None


def show(
    request: Request,
    template: str,
    context: dict[str, Any],
    *,
    part: str = "",
    status: int = 200,
    shown: object = None,
) -> HttpResponse:
    """Render a page, or only its partial `part` if htmx swaps that. See `live` for a page that asks for changes.

    Args:
        shown: what the figures of the page depend on; by default on every event.
    """
    if status == 422 and "filter" in context and not request.htmx:
        context["filter"].begin()
    only_part = part and request.htmx and (request.method == "POST" or request.htmx.target == part)
    fresh, tag = context.get("freshness"), ""
    if fresh and status == 200 and request.method == "GET" and not only_part:
        tag = live.tag_of(fresh, context.get("parked"), shown)
        if live.is_unchanged(request, tag):
            return live.unchanged(tag)
        context["updates"] = {"tag": tag, "at": int(time.time()), "words": live.words()}
    response = render(request, f"{template}#{part}" if only_part else template, context, status=status)
    if tag:
        response["ETag"] = tag
    return response


def how_fresh(request: HttpRequest) -> freshness.Freshness:
    """Return the freshness of the figures of this request. Call it before any figure is read."""
    patient = POLL not in request.headers  # a poll is repeated anyway
    return freshness.look(cookie(request, SEEN), reader=request.user.get_username(), patient=patient)


def parked_accounts(fresh: freshness.Freshness) -> queries.Parked | None:
    """Return the number of parked accounts, or None. It runs no query unless something is parked."""
    return queries.parked_accounts() if fresh.parked else None


def parked_account(fresh: freshness.Freshness, account_id: int) -> queries.Parked | None:
    """Return since when an account is parked, or None."""
    return queries.parked_stream(stream_of(account_id)) if fresh.parked else None


def whole_number(text: str | None) -> int | None:
    """Return the number in a query parameter, or None if it is not a number."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 20 else None
