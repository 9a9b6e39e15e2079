"""The page of days: what was paid in and paid out in a period, with a chart."""

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext

from projections import queries

from .charts import Chart, Flow, flow_chart
from .dates import shown_day
from .money import format_money
from .pages import Request, how_fresh, page, parked_accounts, show
from .periods import choices, period_of

DAYS = 30
"""The number of days that the page shows by itself."""


@page
def days(request: Request) -> HttpResponse:
    """Show the totals of a period by day, or by week, month or year if it is long."""
    fresh = how_fresh(request)
    earliest = queries.first_day() or timezone.localdate()
    period = period_of(request.GET, days=DAYS, earliest=earliest)
    spans = queries.spans(period.first, period.last)
    context = {
        "freshness": fresh,
        "parked": parked_accounts(fresh),
        "filter": period.form,
        "periods": choices(period, earliest),
        "spans": [span for span in reversed(spans) if not span.is_empty],
        "total": queries.total(spans),
        "chart": chart_of(spans),
    }
    return show(request, "bank/days.html", context, status=422 if period.form.errors else 200, shown=spans)


def chart_of(spans: list[queries.Span]) -> Chart:
    """Return the chart of the money paid in and paid out."""
    total = queries.total(spans)
    summary = gettext("Paid in and paid out from {first} to {last}: {paid_in} in, {paid_out} out").format(
        first=shown_day(total.first),
        last=shown_day(total.last),
        paid_in=format_money(total.paid_in),
        paid_out=format_money(total.paid_out),
    )
    return flow_chart([Flow(span.first, span.paid_in, span.paid_out) for span in spans], summary)
