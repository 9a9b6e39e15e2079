"""The page of days: what was paid in and out, by day."""

from django.http import HttpResponse

from projections import queries

from .pages import Request, how_fresh, page, parked_accounts, show


@page
def days(request: Request) -> HttpResponse:
    """Show the totals of the latest days."""
    fresh = how_fresh(request)
    context = {"freshness": fresh, "parked": parked_accounts(fresh), "days": queries.daily_totals()}
    return show(request, "bank/days.html", context)
