"""The task screens. Each turns a form into a command, passes it to `handle` and redirects to the receipt."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from projections import queries

from ..access import sessions
from ..access.cookies import set_cookie
from ..application import tills
from ..application.dispatch import Ack, Busy, InstallationFault, OutcomeUnknown, UnreadableAccount, handle
from ..domain.errors import AccountAlreadyExists, CommandRejected
from .forms import (
    AccountForm,
    ChangePinForm,
    CloseForm,
    DepositForm,
    OpenAccountForm,
    ReverseDepositForm,
    ReverseForm,
    ReverseWithdrawalForm,
    TaskForm,
    UnlockForm,
    WithdrawForm,
    blank,
)
from .money import format_money
from .pages import SEEN, Request, account_or_404, account_or_none, how_fresh, parked_account, show, whole_number
from .unavailable import RETRY_AFTER, no_answer, not_installed

BUSY = "The bank is busy. Nothing has happened: wait a moment, and send it again."
UNREADABLE = (
    "This {about} cannot be used now. Nothing was changed, and no PIN was looked at. A newer version of the program "
    "has recorded something here that this one does not know: tell the people who run it."
)

may_serve = permission_required("bank.serve_customers", raise_exception=True)


def may_supervise[**P](view: Callable[P, HttpResponse]) -> Callable[P, HttpResponse]:
    """Restrict a view to supervisors with a fresh password."""
    return permission_required("bank.supervise", raise_exception=True)(sessions.fresh_password(view))


@sensitive_post_parameters("pin")
@require_http_methods(["GET", "HEAD", "POST"])
@may_serve
def open_account(request: Request) -> HttpResponse:
    """Open an account."""
    how_fresh(request)
    form = OpenAccountForm(request.POST or None, initial={"account_id": queries.next_account_id})
    return task(request, form, "Open an account")


@sensitive_post_parameters("pin")
@require_http_methods(["GET", "HEAD", "POST"])
@may_serve
def deposit(request: Request, account_id: int) -> HttpResponse:
    """Deposit money into an account."""
    return account_task(request, account_id, DepositForm, "Deposit into account")


@sensitive_post_parameters("pin")
@require_http_methods(["GET", "HEAD", "POST"])
@may_serve
def withdraw(request: Request, account_id: int) -> HttpResponse:
    """Withdraw money from an account."""
    return account_task(request, account_id, WithdrawForm, "Withdraw from account")


@sensitive_post_parameters("pin")
@require_http_methods(["GET", "HEAD", "POST"])
@may_serve
def close_account(request: Request, account_id: int) -> HttpResponse:
    """Close an account."""
    return account_task(request, account_id, CloseForm, "Close account")


@require_http_methods(["GET", "HEAD", "POST"])
@may_supervise
def unlock(request: Request, account_id: int) -> HttpResponse:
    """Unlock withdrawals from an account (supervisors)."""
    return account_task(request, account_id, UnlockForm, "Unlock withdrawals from account")


@sensitive_post_parameters("pin", "pin_again")
@require_http_methods(["GET", "HEAD", "POST"])
@may_supervise
def change_pin(request: Request, account_id: int) -> HttpResponse:
    """Give an account a new PIN (supervisors)."""
    return account_task(request, account_id, ChangePinForm, "New PIN for account")


REVERSE: dict[str, type[ReverseForm]] = {"deposit": ReverseDepositForm, "withdrawal": ReverseWithdrawalForm}
"""The form that reverses an entry of each kind."""


@require_http_methods(["GET", "HEAD", "POST"])
@may_supervise
def reverse_entry(request: Request, command_id: UUID) -> HttpResponse:
    """Reverse the deposit or withdrawal of a receipt (supervisors). One that is reversed already has its receipt."""
    how_fresh(request)
    entry = queries.receipt(command_id)
    if entry is None or entry.kind not in REVERSE:
        raise Http404("There is nothing to reverse.")
    if request.method != "POST" and not entry.is_reversible:
        return redirect("receipt", command_id)
    form_class = REVERSE[entry.kind]
    form = form_class(request.POST or None, account_id=entry.account_id, reversed_command_id=command_id)
    return task(request, form, form.verb, entry.account_id, entry=entry)


def account_task(request: Request, account_id: int, form_class: type[AccountForm], heading: str) -> HttpResponse:
    """Show or carry out a task at an account. On a post, the write side decides whether the account exists.

    The query parameter `amount`, in minor units, fills in the amount.
    """
    form = blank(form_class)
    if request.method == "POST":
        form = form_class(request.POST, account_id=account_id)
    elif amount := whole_number(request.GET.get("amount")):
        form = form_class(account_id=account_id, initial={"amount": format_money(amount)})
    return task(request, form, f"{heading} {account_id}", account_id)


def task(
    request: Request,
    form: TaskForm,
    heading: str,
    account_id: int | None = None,
    *,
    template: str = "bank/task.html",
    then: str = "",
    refusal: CommandRejected | None = None,
    **shown: Any,
) -> HttpResponse:
    """Show a task's form, or carry out its command and redirect to the receipt.

    A form that was not carried out is shown again with its entries. With 503 (busy, or an account that this version of
    the program cannot read) htmx would replace the whole page, so headers name the form as the target.

    Args:
        then: the URL of the page that follows, instead of the receipt.
        refusal: why this user may not carry the task out now, if so.
        shown: more values for the template.
    """
    status, headers, offers = 200, {}, {}
    if request.method == "POST":
        form.is_bound, status = True, 422
        try:
            if form.is_valid():
                return acknowledge(request, handle_form(request, form, refusal), then)
        except CommandRejected as rejection:
            offers = reject(form, rejection)
        except (Busy, UnreadableAccount) as error:
            form.add_error(None, BUSY if isinstance(error, Busy) else UNREADABLE.format(about=form.about))
            status = 503
            headers = {"Retry-After": str(RETRY_AFTER), "HX-Retarget": "this", "HX-Reswap": "outerHTML"}
        except OutcomeUnknown as error:
            return no_answer(request, error)
        except InstallationFault as error:
            return not_installed(request, error)
    context: dict[str, Any] = {"form": form, "heading": heading, "action": request.path, **offers, **shown}
    context["needs_till"] = form.moves_cash and status != 503 and tills.is_missing(request.user.get_username())
    if account_id is not None:
        if status != 503:  # it queries the busy database
            context["parked"] = parked_account(how_fresh(request), account_id)
        find = account_or_none if request.method == "POST" else account_or_404
        context["account"] = find(account_id)
    response = show(request, template, context, part="form", status=status)
    for name, value in headers.items():
        response[name] = value
    return response


def reject(form: TaskForm, rejection: CommandRejected) -> dict[str, int]:
    """Add a rejection to the form's errors. If the account's number is taken, return it and a free one."""
    taken = form.cleaned_data["account_id"] if isinstance(rejection, AccountAlreadyExists) else 0
    form.reject(rejection)
    return {"taken": taken, "free": queries.next_account_id(taken)} if taken else {}


def handle_form(request: Request, form: TaskForm, refusal: CommandRejected | None) -> Ack:
    """Pass the form's command to the bank, with the teller's open till if it moves cash."""
    if refusal:
        raise refusal
    actor = request.user.get_username()
    metadata = tills.cash_metadata(actor) if form.moves_cash else {}
    return handle(form.command(), command_id=form.get_command_id(), actor=actor, metadata=metadata)


def acknowledge(request: Request, ack: Ack, url: str = "") -> HttpResponse:
    """Redirect to the receipt or another page, and set the read-your-writes token."""
    url = url or reverse("receipt", args=[ack.command_id])
    response: HttpResponse = HttpResponseClientRedirect(url) if request.htmx else HttpResponseRedirect(url, status=303)
    set_cookie(response, SEEN, ack.token)
    return response
