"""The screens of transfers between accounts: the task in two steps, and the list of those on their way."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from projections import queries

from ..domain.streams import stream_of
from .forms import TransferForm, TransferTarget
from .pages import (
    EDIT,
    LATEST,
    Request,
    account_or_404,
    account_or_none,
    how_fresh,
    page,
    parked_account,
    parked_accounts,
    show,
)
from .tasks import may_serve, task


@sensitive_post_parameters("pin")
@require_http_methods(["GET", "HEAD", "POST"])
@may_serve
def transfer(request: Request, account_id: int) -> HttpResponse:
    """Transfer money to another account.

    The first step names the other account and the amount. It changes nothing, so it is a GET. The second step shows the
    holder of the other account, and asks for the PIN.
    """
    heading = gettext("Transfer from account {}").format(account_id)
    if request.method == "POST":
        form = TransferForm(request.POST, account_id=account_id)
        return second_step(request, form, heading, request.POST)
    fresh = how_fresh(request)
    account = account_or_404(account_id)
    asked = TransferTarget(request.GET if TransferTarget.base_fields.keys() & request.GET.keys() else None)
    if asked.is_valid() and EDIT not in request.GET:
        if problem := why_not(account_id, asked.cleaned_data["to_account_id"]):
            asked.add_error("to_account_id", problem)
        else:
            form = TransferForm(account_id=account_id, initial=typed_in(asked))
            return second_step(request, form, heading, request.GET)
    asked.begin(again=EDIT in request.GET)
    context: dict[str, Any] = {"heading": heading, "account": account, "parked": parked_account(fresh, account_id)}
    context |= {"is_first_step": True, "form": asked, "latest": queries.statement(account_id, limit=LATEST).rows}
    status = 422 if asked.errors and EDIT not in request.GET else 200
    return show(request, "bank/transfer.html", context, status=status)


def second_step(request: Request, form: TransferForm, heading: str, values: Any) -> HttpResponse:
    """Repeat the first step's entries as far as they can be read, and show or carry out the second one."""
    asked = TransferTarget(values)
    asked.is_valid()
    read, typed = asked.cleaned_data, typed_in(asked)
    form.repeated = read.get("amount", 0)
    target = account_or_none(read["to_account_id"]) if "to_account_id" in read else None
    shown: dict[str, Any] = {"target": target, "typed": typed, "change": f"{urlencode(typed)}&{EDIT}=1"}
    return task(request, form, heading, form.account_id, template="bank/transfer.html", **shown)


def typed_in(asked: TransferTarget) -> dict[str, str]:
    """Return the entries of the first step as they were typed."""
    return {name: asked[name].value() or "" for name in asked.fields}


def why_not(account_id: int, to_account_id: int) -> str:
    """Return why the read side knows that an account cannot get money from another one, or an empty text."""
    if to_account_id == account_id:
        return gettext("An account cannot send money to itself.")
    target = account_or_none(to_account_id)
    if target is None:
        if queries.parked_stream(stream_of(to_account_id)):
            refusal = gettext("Account {} cannot be shown now, so its holder cannot be checked. Nothing was sent.")
            return refusal.format(to_account_id)
        return gettext("There is no account {}.").format(to_account_id)
    return gettext("Account {} is closed.").format(to_account_id) if target.closed_at else ""


@page
@permission_required("bank.supervise", raise_exception=True)
def on_their_way(request: Request) -> HttpResponse:
    """Show the transfers that have neither arrived nor come back (supervisors)."""
    fresh = how_fresh(request)
    context = {
        "freshness": fresh,
        "parked": parked_accounts(fresh),
        "transfers": queries.transfers_on_their_way(),
        "on_its_way": queries.bank_figures().on_its_way,
    }
    return show(request, "bank/transfers.html", context)
