"""The page of an account with its statement, which may be limited to some days and kinds."""

from datetime import date, timedelta
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from projections import queries

from .csv_files import CONTENT_TYPE, csv_file
from .filters import StatementFilter
from .forms import DepositForm, WithdrawForm, blank, blank_target
from .languages import cached_by_language
from .pages import Request, account_or_404, how_fresh, page, parked_account, show, whole_number

MOST_ON_PAPER = 2000
"""The largest number of lines of one sheet of a statement on paper: some 50 pages. More lines make more sheets."""
EVERYTHING = "from=&to=&kind="
"""The query string of a whole statement."""
KINDS: dict[str, Any] = {name: gettext_lazy(group.words) for name, group in queries.GROUPS.items()}


@cached_by_language
def blank_filter() -> StatementFilter:
    """Return the unbound filter, which is rendered once for all requests, as the forms of `blank`."""
    return StatementFilter(kinds=KINDS)


class Choice(NamedTuple):
    """The requested part of a statement, and the query string that requests it.

    `part` is None if the form has errors. `form` is unbound if the request does not limit the statement.
    """

    form: StatementFilter
    part: queries.Part | None
    query: str


def chosen(request: Request, account_id: int) -> Choice:
    """Return the part of an account's statement that the query parameters request."""
    if not StatementFilter.FIELDS & request.GET.keys():
        return Choice(blank_filter(), queries.WHOLE, "")
    form = StatementFilter(request.GET, kinds=KINDS)
    if not form.is_valid():
        return Choice(form, None, "")
    (first, last), (since, until), kind = form.days, form.times, form.cleaned_data["kind"]
    query = urlencode({"from": first or "", "to": last or "", "kind": kind})
    return Choice(form, queries.part_of(account_id, since, until, kind), query)


@page
def account(request: Request, account_id: int) -> HttpResponse:
    """Show one account with its tasks and its statement."""
    before = request.GET.get("before")
    fresh = how_fresh(request)
    account = account_or_404(account_id)
    context: dict[str, Any] = {
        "freshness": fresh,
        "parked": parked_account(fresh, account_id),
        "account": account,
        "before": before,
        "deposit": blank(DepositForm),
        "withdraw": blank(WithdrawForm),
        "transfer": blank_target(),
        "periods": periods(timezone.localdate()),
    }
    form, part, query = chosen(request, account_id)
    kind = (form.cleaned_data["kind"] if form.is_bound and part else "") or "money"  # a bank hands out no refusals
    context |= {"filter": form, "query": query, "paper_query": f"{query.rpartition('kind=')[0]}kind={kind}"}
    context["period"] = f"{query.rpartition('kind=')[0]}kind=" if query else EVERYTHING if part else ""
    if part:
        context["page"] = queries.statement(account_id, before=whole_number(before), part=part)
        context["totals"] = queries.totals(account_id, part) if form.is_bound else None
    return show(request, "bank/account.html", context, part="statement", status=200 if part else 422, shown=account)


@page
def download(request: Request, account_id: int) -> HttpResponseBase:
    """Stream the chosen part of a statement as a CSV file, the first line first.

    If the figures are not current, lines may be missing, and the name of the file contains "incomplete".
    """
    fresh = how_fresh(request)
    account_or_404(account_id)
    choice = chosen(request, account_id)
    if choice.part is None:
        return to_account(request, account_id)
    part = choice.part if choice.form.is_bound else queries.part_of(account_id, None, None)
    response = StreamingHttpResponse(csv_file(queries.in_order(account_id, part)))
    response["Content-Type"] = CONTENT_TYPE
    days = [str(day) for day in choice.form.days if day]
    incomplete = [] if fresh.current and not parked_account(fresh, account_id) else ["incomplete"]
    name = "-".join(filter(None, ["statement", str(account_id), *days, part.group, *incomplete]))
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


@page
def on_paper(request: Request, account_id: int) -> HttpResponse:
    """Show the chosen part of a statement as the bank hands it out on paper, the first line first.

    A sheet has at most `MOST_ON_PAPER` lines. The query parameter `after` is the last version of the sheet before.
    """
    fresh = how_fresh(request)
    account = account_or_404(account_id)
    choice = chosen(request, account_id)
    if choice.part is None:
        return to_account(request, account_id)
    part = choice.part if choice.form.is_bound else queries.part_of(account_id, None, None)
    sheet = sheet_of(account_id, part, whole_number(request.GET.get("after")))
    first, last = choice.form.days
    context = {
        "freshness": fresh,
        "parked": parked_account(fresh, account_id),
        "account": account,
        "first": first or timezone.localdate(account.opened_at),
        "last": last or timezone.localdate(),
        "words": KINDS[part.group] if part.group else "",
        "query": choice.query,
        "totals": queries.totals(account_id, part),
        "sheet": sheet,
        "is_part": sheet.before or sheet.after is not None,
        "first_line": sheet.before + 1,
        "last_line": sheet.before + sheet.totals.lines,
    }
    return show(request, "bank/statement.html", context)


class Sheet(NamedTuple):
    """A part of a statement that is printed at once.

    `totals` are its own, and `before` is the number of lines on the sheets before it. `after` is the last version on
    it, or None if it is the last sheet.
    """

    entries: list[queries.Entry]
    totals: queries.Totals
    before: int
    after: int | None


def sheet_of(account_id: int, part: queries.Part, after: int | None) -> Sheet:
    """Return the sheet of a part of a statement that begins after a version."""
    first = part.first if after is None else min(max(part.first, after + 1), part.end)
    rest = part._replace(first=first)
    entries = list(islice(queries.in_order(account_id, rest), MOST_ON_PAPER + 1))
    is_last = len(entries) <= MOST_ON_PAPER
    entries = entries[:MOST_ON_PAPER]
    own = rest if is_last else rest._replace(end=entries[-1].version + 1)
    before = queries.totals(account_id, part._replace(end=first)).lines if first > part.first else 0
    return Sheet(entries, queries.totals(account_id, own), before, None if is_last else entries[-1].version)


def to_account(request: Request, account_id: int) -> HttpResponse:
    """Redirect to the account page, which shows the errors of the chosen part."""
    return redirect(f"{reverse('account', args=[account_id])}?{request.GET.urlencode()}")


@cached_by_language
def periods(today: date) -> list[tuple[str, str]]:
    """Return the labels and query strings of some periods up to today."""
    lengths = {gettext("Today"): 1, gettext("7 days"): 7, gettext("30 days"): 30}
    recent = [
        (words, urlencode({"from": today - timedelta(days=days - 1), "to": today, "kind": ""}))
        for words, days in lengths.items()
    ]
    return [*recent, (gettext("All"), EVERYTHING)]
