"""The teller's desk: the find box, what waits, the till, and the tasks of the day."""

from typing import Any

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.urls import get_script_prefix
from django.utils import timezone
from django.utils.safestring import SafeString

from projections import queries

from .dates import beginning_of, chosen_day, end_of
from .languages import cached_by_language
from .pages import Request, how_fresh, page, parked_accounts, show, whole_number
from .tasks import may_serve

LATEST = 10
"""The number of the teller's latest tasks on the desk."""


@page
def desk(request: Request) -> HttpResponse:
    """Show the desk. A user who serves no customers has only the find box."""
    fresh = how_fresh(request)
    today = timezone.localdate()
    context: dict[str, Any] = {"freshness": fresh, "parked": parked_accounts(fresh), "today": today}
    if request.user.has_perm("bank.serve_customers"):
        name, since, until = request.user.get_username(), beginning_of(today), end_of(today)
        found = queries.desk(name, since, until, supervises=request.user.has_perm("bank.supervise"))
        context["desk"], context["tasks"] = found, queries.tasks_of(name, None, until, limit=LATEST).rows
        old_till = found.till if found.till and found.till.opened_at < since else None
        context["aside"] = _aside(found, old_till, get_script_prefix())
    return show(request, "bank/desk.html", context, shown=(context.get("desk"), context.get("tasks"), today))


@cached_by_language
def _aside(found: queries.Desk, old_till: queries.OwnTill | None, prefix: str) -> SafeString:
    """Render the desk without its find box and tasks once for each content (docs/performance.md)."""
    something_waits = old_till or found.on_their_way or any(found.supervised or ())
    context = {"desk": found, "old_till": old_till, "something_waits": something_waits}
    return render_to_string("bank/desk_aside.html", context)


@may_serve
@page
def my_day(request: Request) -> HttpResponse:
    """Show a teller's own tasks of a day, with their sums."""
    fresh = how_fresh(request)
    chosen = chosen_day(request.GET.get("day", "")[:100])
    day = chosen["day"]
    span = request.user.get_username(), beginning_of(day), end_of(day)
    before = request.GET.get("before")
    context = chosen | {
        "freshness": fresh,
        "parked": parked_accounts(fresh),
        "sums": queries.day_of(*span),
        "before": before,
        "page": queries.tasks_of(*span, before=whole_number(before)),
    }
    status = 422 if chosen["error"] else 200
    return show(request, "bank/my_day.html", context, status=status, shown=(context["sums"], context["page"]))
