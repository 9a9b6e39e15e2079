"""The task screens. A view sees forms, `handle` and the queries, and nothing else of the bank."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from projections import queries

from .domain.errors import CommandRejected
from .forms import DepositForm, OpenAccountForm, TaskForm, WithdrawForm
from .handlers import Ack, Busy, handle

SEEN = "bank_position"
"""The cookie with the position of the last event that this browser was told of."""


class Request(HttpRequest):
    """A request as our middleware leaves it."""

    htmx: HtmxDetails


may_look = permission_required("bank.view_accounts", raise_exception=True)
may_serve = permission_required("bank.serve_customers", raise_exception=True)


# Looking


@require_GET
@may_look
@never_cache
def desk(request: Request) -> HttpResponse:
    """Where a teller begins."""
    context = {
        "freshness": freshness(request),
        "figures": queries.bank_figures(),
        "activity": queries.latest_activity(),
    }
    return show(request, "bank/desk.html", context)


@require_GET
@may_look
@never_cache
def accounts(request: Request) -> HttpResponse:
    """The accounts, or those found by number or part of the holder's name."""
    text = request.GET.get("q", "")[:100]
    if text.strip().isdecimal() and not request.htmx:
        try:
            return redirect("account", queries.find_account(int(text)).account_id)
        except queries.UnknownAccount:
            pass
    context = {
        "freshness": freshness(request),
        "text": text,
        "page": queries.find_accounts(text, after=whole_number(request.GET.get("after")) or 0),
    }
    return show(request, "bank/accounts.html", context, part="list")


@require_GET
@may_look
@never_cache
def account(request: Request, account_id: int) -> HttpResponse:
    """One account, with its tasks and its statement."""
    context = {
        "freshness": freshness(request),
        "account": account_or_404(account_id),
        "page": queries.statement(account_id, before=whole_number(request.GET.get("before"))),
        "deposit": DepositForm(account_id=account_id),
        "withdraw": WithdrawForm(account_id=account_id),
    }
    return show(request, "bank/account.html", context, part="statement")


@require_GET
@may_look
@never_cache
def receipt(request: Request, command_id: UUID) -> HttpResponse:
    """What a command did, as long as anybody asks."""
    fresh = freshness(request)
    entry = queries.receipt(command_id)
    if entry is None and not (fresh.behind and fresh.position < seen(request)):
        raise Http404("There is no receipt of this number.")
    return show(request, "bank/receipt.html", {"freshness": fresh, "entry": entry, "command_id": command_id})


@require_GET
@may_look
@never_cache
def days(request: Request) -> HttpResponse:
    """What happened on each of the latest days."""
    return show(request, "bank/days.html", {"freshness": freshness(request), "days": queries.daily_totals()})


# Tasks


@sensitive_post_parameters("pin")
@require_http_methods(["GET", "HEAD", "POST"])
@may_serve
@never_cache
def open_account(request: Request) -> HttpResponse:
    """The task of opening an account."""
    form = OpenAccountForm(request.POST or None, initial={"account_id": queries.next_account_id()})
    return task(request, form, {"heading": "Open an account"})


@sensitive_post_parameters("pin")
@require_http_methods(["GET", "HEAD", "POST"])
@may_serve
@never_cache
def deposit(request: Request, account_id: int) -> HttpResponse:
    """The task of taking a deposit."""
    return account_task(request, account_id, DepositForm, "Deposit into account")


@sensitive_post_parameters("pin")
@require_http_methods(["GET", "HEAD", "POST"])
@may_serve
@never_cache
def withdraw(request: Request, account_id: int) -> HttpResponse:
    """The task of paying out a withdrawal."""
    return account_task(request, account_id, WithdrawForm, "Withdraw from account")


def account_task(request: Request, account_id: int, form_class: type[DepositForm], heading: str) -> HttpResponse:
    """Show and carry out a task on an account. Whether the account exists is for the write side to say."""
    form = form_class(request.POST or None, account_id=account_id)
    if request.method != "POST":
        account_or_404(account_id)
    return task(request, form, {"heading": f"{heading} {account_id}", "account_id": account_id})


def task(request: Request, form: TaskForm, context: dict[str, Any]) -> HttpResponse:
    """Show a task's form, or carry out what it says and go on to the receipt."""
    status = 200
    if request.method == "POST":
        form.is_bound = True
        try:
            if form.is_valid():
                return acknowledge(request, handle_form(request, form))
        except CommandRejected as rejection:
            form.reject(rejection)
        except Busy:
            return render(request, "503.html", status=503)
        status = 422
    return show(
        request, "bank/task.html", {**context, "form": form, "action": request.path}, part="form", status=status
    )


def handle_form(request: Request, form: TaskForm) -> Ack:
    """Hand the form's command to the bank."""
    return handle(form.command(), command_id=form.get_command_id(), actor=request.user.get_username())


def acknowledge(request: Request, ack: Ack) -> HttpResponse:
    """Send the browser to the receipt, and let it remember what it has to see there."""
    url = reverse("receipt", args=[ack.command_id])
    response: HttpResponse = HttpResponseClientRedirect(url) if request.htmx else HttpResponseRedirect(url, status=303)
    response.set_cookie(SEEN, str(ack.position), httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE)
    return response


# Common to all


def account_or_404(account_id: int) -> queries.Account:
    """Return the account of the number in the URL; there is a page that says where there is none."""
    try:
        return queries.find_account(account_id)
    except queries.UnknownAccount as error:
        raise Http404(str(error)) from error


def show(
    request: Request, template: str, context: dict[str, Any], *, part: str = "", status: int = 200
) -> HttpResponse:
    """Render a page, or only the part of it that htmx swaps."""
    only_part = part and request.htmx and (request.method == "POST" or request.htmx.target == part)
    return render(request, f"{template}#{part}" if only_part else template, context, status=status)


def freshness(request: HttpRequest) -> queries.Freshness:
    """Tell how fresh the figures are.

    Views ask before they get the figures: what catches up in between must not make old ones look current.
    """
    return queries.freshness(seen(request))


def seen(request: HttpRequest) -> int:
    """Return the position of the last event that this browser was told of."""
    return whole_number(request.COOKIES.get(SEEN)) or 0


def whole_number(text: str | None) -> int | None:
    """Return the number that a query parameter or a cookie says, or None where it says none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 20 else None
