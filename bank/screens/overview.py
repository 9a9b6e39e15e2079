"""The manager's pages: the bank's figures, what waits for supervisors, and all refused withdrawals."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import user_passes_test
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext

from projections import queries

from .dates import beginning_of, end_of
from .days import DAYS, chart_of
from .filters import RefusalFilter
from .pages import Request, how_fresh, page, parked_accounts, show, whole_number

FEW = 10
"""The number of lines of each list on the page of the bank."""


def _oversees(user: Any) -> bool:
    """Return whether a user is a supervisor or an auditor.

    Raises:
        PermissionDenied: the user is neither.
    """
    if user.is_authenticated and not (user.has_perm("bank.supervise") or user.has_perm("projections.view_banktotals")):
        raise PermissionDenied
    return bool(user.is_authenticated)


def may_oversee(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Restrict a page to supervisors and auditors."""
    return user_passes_test(_oversees)(view)


@may_oversee
@page
def bank(request: Request) -> HttpResponse:
    """Show the bank's figures, its latest activity, and what waits for supervisors."""
    fresh = how_fresh(request)
    today = timezone.localdate()
    since, until = beginning_of(today), end_of(today)
    spans = queries.spans(today - timedelta(days=DAYS - 1), today)
    of_today = queries.RefusalsWanted(since, until)
    shifts = queries.shifts_between(since, until)
    context = {
        "freshness": fresh,
        "parked": parked_accounts(fresh),
        "today": today,
        "figures": queries.bank_figures(),
        "chart": chart_of(spans),
        "total": queries.total(spans),
        "transfers": queries.transfers_on_their_way(),
        "refusals": queries.refusals(of_today, limit=FEW).rows,
        "refused": sum(queries.refusals_by_reason(of_today).values()),
        "locked": queries.locked_accounts(FEW + 1),
        "few": FEW,
        "shifts": shifts,
        "activity": queries.latest_activity(FEW),
    }
    return show(request, "bank/bank.html", context)


@may_oversee
@page
def refusals(request: Request) -> HttpResponse:
    """Show the refused withdrawals of the bank, by default those of today."""
    fresh = how_fresh(request)
    today = str(timezone.localdate())
    is_limited = bool(RefusalFilter.FIELDS & request.GET.keys())
    kinds = {"": gettext("All"), **queries.reasons()}
    form = RefusalFilter(request.GET if is_limited else {"from": today, "to": today}, kinds=kinds)
    context: dict[str, Any] = {"freshness": fresh, "parked": parked_accounts(fresh), "filter": form}
    if not form.is_valid():
        return show(request, "bank/refusals.html", context, part="list", status=422)
    (first, last), (since, until), chosen = form.days, form.times, form.cleaned_data
    wanted = queries.RefusalsWanted(since, until, chosen["kind"], chosen["teller"], chosen["account"])
    before = request.GET.get("before")
    query = {"from": first or "", "to": last or "", "teller": chosen["teller"], "account": chosen["account"] or ""}
    counts = queries.refusals_by_reason(wanted)
    context |= {
        "query": urlencode({**query, "kind": chosen["kind"]}),
        "before": before,
        "page": queries.refusals(wanted, before=whole_number(before)),
        "count": counts.get(chosen["kind"], 0) if chosen["kind"] else sum(counts.values()),
        "by_kind": [
            (words, counts.get(kind, 0) if kind else sum(counts.values()), urlencode({**query, "kind": kind}))
            for kind, words in kinds.items()
        ],
        "kind": kinds[chosen["kind"]],
    }
    return show(request, "bank/refusals.html", context, part="list", shown=(context["page"], counts))
