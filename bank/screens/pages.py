"""The screens for looking, and what all screens share. A view sees forms, `handle` and the queries, nothing else."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET
from django_htmx.middleware import HtmxDetails

from projections import freshness, queries
from projections.replicas import reads

from ..access.cookies import cookie
from ..access.sessions import POLL
from .forms import DepositForm, WithdrawForm

SEEN = "bank_position"
"""The cookie with the token of the last event that this browser was told of."""


class Request(HttpRequest):
    """A request as our middleware leaves it."""

    htmx: HtmxDetails


BEHIND = "Bank-Behind"
"""The header in which a page that polls says what it shows of how fresh it is."""

may_look = permission_required("bank.view_accounts", raise_exception=True)


def page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Make a view a page for all who may look. A poll that would find what the page shows already gets no content."""

    @wraps(view)
    def answer(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        told = request.headers.get(BEHIND)
        if told is not None and not (fresh := how_fresh(request)).current and fresh.told == told:
            return HttpResponse(status=204)
        return view(request, *args, **kwargs)

    return require_GET(may_look(reads(answer)))


@page
def desk(request: Request) -> HttpResponse:
    """Where a teller begins."""
    context = {
        "freshness": how_fresh(request),
        "figures": queries.bank_figures(),
        "activity": queries.latest_activity(),
    }
    return show(request, "bank/desk.html", context)


@page
def accounts(request: Request) -> HttpResponse:
    """The accounts, or those found by number or part of the holder's name."""
    fresh = how_fresh(request)
    text = request.GET.get("q", "")[:100]
    if text.strip().isdecimal() and not request.htmx:
        try:
            return redirect("account", queries.find_account(int(text)).account_id)
        except queries.UnknownAccount:
            pass
    context = {
        "freshness": fresh,
        "text": text,
        "page": queries.find_accounts(text, after=whole_number(request.GET.get("after")) or 0),
    }
    return show(request, "bank/accounts.html", context, part="list")


@page
def account(request: Request, account_id: int) -> HttpResponse:
    """One account, with its tasks and its statement."""
    before = request.GET.get("before")
    context = {
        "freshness": how_fresh(request),
        "account": account_or_404(account_id),
        "page": queries.statement(account_id, before=whole_number(before)),
        "before": before,
        "deposit": DepositForm.blank(),
        "withdraw": WithdrawForm.blank(),
    }
    return show(request, "bank/account.html", context, part="statement")


@page
def receipt(request: Request, command_id: UUID) -> HttpResponse:
    """What a command did, as long as anybody asks; or that it was rejected, or that nothing is recorded of it."""
    fresh = how_fresh(request)
    entry = queries.receipt(command_id)
    if entry is None:
        outcome = queries.outcome(command_id)
        if outcome is None or not outcome.accepted:
            told = {"outcome": outcome, "command_id": command_id}
            return show(request, "bank/no_receipt.html", told, status=200 if outcome else 404)
        entry = queries.receipt(command_id)
    context: dict[str, Any] = {"freshness": fresh, "entry": entry, "command_id": command_id}
    if entry and entry.kind == "invalid_pin" and not fresh.behind:
        context["attempts_left"] = attempts_left(entry)
    return show(request, "bank/receipt.html", context)


@page
def days(request: Request) -> HttpResponse:
    """What happened on each of the latest days."""
    return show(request, "bank/days.html", {"freshness": how_fresh(request), "days": queries.daily_totals()})


def attempts_left(refusal: queries.Entry) -> int | None:
    """Tell how many more wrong PINs lock the account, as long as the refusal is the last thing that happened to it."""
    account = account_or_404(refusal.account_id)
    if account.pin_locked or account.version != refusal.version:
        return None
    return max(settings.PIN_ATTEMPTS - account.wrong_pins, 1)


# Common to all


def account_or_404(account_id: int) -> queries.Account:
    """Return the account of the number in the URL; there is a page that says where there is none."""
    try:
        return queries.find_account(account_id)
    except queries.UnknownAccount as error:
        raise Http404(str(error)) from error


def account_or_none(account_id: int) -> queries.Account | None:
    """Return an account, if the read side has it."""
    try:
        return queries.find_account(account_id)
    except queries.UnknownAccount:
        return None


def show(
    request: Request, template: str, context: dict[str, Any], *, part: str = "", status: int = 200
) -> HttpResponse:
    """Render a page, or only the part of it that htmx swaps."""
    only_part = part and request.htmx and (request.method == "POST" or request.htmx.target == part)
    return render(request, f"{template}#{part}" if only_part else template, context, status=status)


def how_fresh(request: HttpRequest) -> freshness.Freshness:
    """Tell how fresh the figures are that the rest of this request reads; to be asked before any of them is read."""
    patient = POLL not in request.headers  # who polls asks again
    return freshness.look(cookie(request, SEEN), reader=request.user.get_username(), patient=patient)


def whole_number(text: str | None) -> int | None:
    """Return the number that a query parameter or a cookie says, or None where it says none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 20 else None
