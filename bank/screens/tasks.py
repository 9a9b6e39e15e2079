"""The task screens. Each turns a form into a command, passes it to `handle` and redirects to the receipt."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from projections import queries

from ..access import sessions
from ..access.cookies import set_cookie
from ..application import tills
from ..application.dispatch import Ack, Busy, InstallationFault, OutcomeUnknown, UnreadableAccount, handle
from ..domain.errors import AccountAlreadyExists, CommandRejected
from . import check
from .forms import (
    AccountForm,
    AmountForm,
    CloseForm,
    DepositForm,
    OpenAccountForm,
    TaskForm,
    WithdrawForm,
)
from .money import format_money
from .pages import (
    EDIT,
    LATEST,
    SEEN,
    Request,
    account_or_404,
    account_or_none,
    how_fresh,
    parked_account,
    show,
    whole_number,
)
from .supervisor_forms import ChangePinForm, ReverseDepositForm, ReverseForm, ReverseWithdrawalForm, UnlockForm
from .unavailable import RETRY_AFTER, no_answer, not_installed

BUSY = gettext_noop("The bank is busy. Nothing has happened: wait a moment, and send it again.")
UNREADABLE = {
    "account": gettext_noop(
        "This account cannot be used now. Nothing was changed, and no PIN was looked at. A newer version of the "
        "program has recorded something here that this one does not know: tell the people who run it."
    ),
    "till": gettext_noop(
        "This till cannot be used now. Nothing was changed. A newer version of the program "
        "has recorded something here that this one does not know: tell the people who run it."
    ),
}

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
    return task(request, form, gettext("Open an account"))


@sensitive_post_parameters("pin")
@require_http_methods(["GET", "HEAD", "POST"])
@may_serve
def deposit(request: Request, account_id: int) -> HttpResponse:
    """Deposit money into an account."""
    return account_task(request, account_id, DepositForm, gettext("Deposit into account {}"))


@sensitive_post_parameters("pin")
@require_http_methods(["GET", "HEAD", "POST"])
@may_serve
def withdraw(request: Request, account_id: int) -> HttpResponse:
    """Withdraw money from an account."""
    return account_task(request, account_id, WithdrawForm, gettext("Withdraw from account {}"))


@sensitive_post_parameters("pin")
@require_http_methods(["GET", "HEAD", "POST"])
@may_serve
def close_account(request: Request, account_id: int) -> HttpResponse:
    """Close an account."""
    return account_task(request, account_id, CloseForm, gettext("Close account {}"))


@require_http_methods(["GET", "HEAD", "POST"])
@may_supervise
def unlock(request: Request, account_id: int) -> HttpResponse:
    """Unlock withdrawals from an account (supervisors)."""
    return account_task(request, account_id, UnlockForm, gettext("Unlock withdrawals from account {}"))


@sensitive_post_parameters("pin", "pin_again")
@require_http_methods(["GET", "HEAD", "POST"])
@may_supervise
def change_pin(request: Request, account_id: int) -> HttpResponse:
    """Give an account a new PIN (supervisors)."""
    return account_task(request, account_id, ChangePinForm, gettext("New PIN for account {}"))


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
    form.repeated = entry.amount
    return task(
        request, form, gettext(form.verb), entry.account_id, entry=entry, till=queries.shift_of_payment(command_id)
    )


def account_task(request: Request, account_id: int, form_class: type[AccountForm], heading: str) -> HttpResponse:
    """Show or carry out a task at an account. On a post, the write side decides whether the account exists.

    The query parameter `amount`, in minor units, fills in the amount.
    """
    form = form_of(request, form_class, account_id=account_id) or form_class(account_id=account_id)
    return task(request, form, heading.format(account_id), account_id)


def form_of[Form: TaskForm](request: Request, form_class: type[Form], **kwargs: Any) -> Form | None:
    """Return the form that was sent, or one with the amount of the address, or None.

    The query parameter `amount` is in minor units. A large amount leads to the check page, unless there is `EDIT`.
    """
    if request.method == "POST":
        return form_class(request.POST, **kwargs)
    amount = whole_number(request.GET.get("amount"))
    if not amount or not issubclass(form_class, AmountForm):
        return None
    form = form_class(initial={"amount": format_money(amount)}, **kwargs)
    if check.is_needed(amount) and EDIT not in request.GET:
        form.repeat(amount)
    return form


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
            is_valid = form.is_valid()
            if not_confirmed := check_first(request, form):
                return not_confirmed
            if is_valid:
                ack = handle_form(request, form, refusal)
                return acknowledge(request, ack, then or receipt_url(ack, form))
        except CommandRejected as rejection:
            offers = reject(form, rejection)
        except (Busy, UnreadableAccount) as error:
            form.add_error(None, gettext(BUSY if isinstance(error, Busy) else UNREADABLE[form.about]))
            status = 503
            headers = {"Retry-After": str(RETRY_AFTER), "HX-Retarget": "this", "HX-Reswap": "outerHTML"}
        except OutcomeUnknown as error:
            return no_answer(request, error)
        except InstallationFault as error:
            return not_installed(request, error)
    form.begin(again=EDIT in request.GET)
    context: dict[str, Any] = {"form": form, "heading": heading, "action": request.path, **offers, **shown}
    context["needs_till"] = form.moves_cash and status != 503 and tills.is_missing(request.user.get_username())
    if account_id is not None:
        context |= about_account(request, form, account_id, is_busy=status == 503)
    response = show(request, template, context, part="form", status=status)
    for name, value in headers.items():
        response[name] = value
    return response


def about_account(request: Request, form: TaskForm, account_id: int, *, is_busy: bool) -> dict[str, Any]:
    """Return what a task shows of its account. While the database is busy, that is little."""
    parked = None if is_busy else parked_account(how_fresh(request), account_id)
    account = account_or_none(account_id) if request.method == "POST" else account_or_404(account_id)
    context: dict[str, Any] = {"parked": parked, "account": account}
    if form.repeated and account:
        context |= {"limit": check.limit(), "sums": check.Sums(account.balance, form.sign * form.repeated)}
    if account and not is_busy and not request.htmx:
        context["latest"] = queries.statement(account_id, limit=LATEST).rows
    return context


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


def check_first(request: Request, form: TaskForm) -> HttpResponse | None:
    """Redirect to the check page if the amount is large and not confirmed. A form of that page stays one."""
    if not isinstance(form, AmountForm) or form.non_field_errors():
        return None
    if not check.is_needed(amount := form.cleaned_data.get("amount", 0)):
        return None
    if form.cleaned_data.get("confirmed") != str(amount):
        return see_other(request, f"{request.path}?amount={amount}")
    form.repeat(amount)
    return None


def see_other(request: Request, url: str) -> HttpResponse:
    """Redirect a sent form to a page. htmx follows a redirect itself, and would swap the page into the form."""
    return HttpResponseClientRedirect(url) if request.htmx else HttpResponseRedirect(url, status=303)


def receipt_url(ack: Ack, form: TaskForm) -> str:
    """Return the URL of the receipt. That of a refusal carries what its event does not hold, for the next try."""
    url = reverse("receipt", args=[ack.command_id])
    unrecorded = {name: form.cleaned_data[name] for name in form.unrecorded_fields}
    return f"{url}?{urlencode(unrecorded)}" if unrecorded and ack.is_refusal else url


def acknowledge(request: Request, ack: Ack, url: str) -> HttpResponse:
    """Redirect to the receipt or another page, and set the read-your-writes token."""
    response = see_other(request, url)
    set_cookie(response, SEEN, ack.token)
    return response
