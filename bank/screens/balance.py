"""The balance of an account over time, as a chart and a table."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext

from projections import queries

from .charts import Point, balance_chart
from .dates import beginning_of, end_of, shown_day
from .money import format_money
from .pages import Request, account_or_404, how_fresh, page, parked_account, show
from .periods import choices, period_of

DAYS = 90
"""The number of days that the chart shows by itself."""


@page
def balance(request: Request, account_id: int) -> HttpResponse:
    """Show the balance over a period. The account page loads the chart alone."""
    fresh = how_fresh(request)
    account = account_or_404(account_id)
    opened = timezone.localdate(account.opened_at)
    period = period_of(request.GET, days=DAYS, earliest=opened)
    context: dict[str, Any] = {
        "freshness": fresh,
        "parked": parked_account(fresh, account_id),
        "account": account,
        "filter": period.form,
        "periods": choices(period, opened),
        "query": urlencode({"from": period.first, "to": period.last}),
    }
    begin = max(beginning_of(period.first), account.opened_at)
    end = min(end_of(period.last), max(timezone.now(), account.last_event_at))
    if begin < end:
        part = queries.part_of(account_id, begin, end_of(period.last))
        stretches = queries.stretches(account_id, part)
        points = [Point(begin, queries.balance_before(account_id, part.first))]
        points += [Point(*point) for stretch in stretches for point in stretch.points]
        balances = [point.balance for point in points]
        summary = gettext(
            "Balance from {first} to {last}: {before} at the beginning, {after} at the end, "
            "at least {least}, at most {most}"
        ).format(
            first=shown_day(timezone.localdate(begin)),
            last=shown_day(timezone.localdate(end)),
            before=format_money(balances[0]),
            after=format_money(balances[-1]),
            least=format_money(min(balances)),
            most=format_money(max(balances)),
        )
        context |= {
            "chart": balance_chart(points, begin, end, summary),
            "stretches": stretches,
            "least": min(balances),
            "most": max(balances),
        }
    status = 422 if period.form.errors else 200
    return show(request, "bank/balance.html", context, part="chart", status=status, shown=context.get("stretches"))
