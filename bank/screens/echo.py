"""The echo of an amount: what was typed, as money, and the balance after it, before anything is sent."""

from django.http import HttpResponse

from . import check
from .money import NotAnAmount, format_money, parse_money
from .pages import Request, account_or_404, how_fresh, page, show

SIGNS = {"deposit": 1, "withdraw": -1}
"""The direction of money in each task that echoes its amount."""


@page
def echo(request: Request, account_id: int, what: str) -> HttpResponse:
    """Show an amount as money, and the balance after it, as part of a form."""
    how_fresh(request)
    account = account_or_404(account_id)
    try:
        amount = parse_money(request.GET.get("amount", "")[:100])
    except NotAnAmount:  # the form says it when it is sent
        return HttpResponse()
    after = account.balance + SIGNS[what] * amount
    context = {
        "amount": format_money(amount),
        "after": format_money(after) if after >= 0 else "",
        "account": account,
        "what": what,
        "is_large": check.is_needed(amount),
    }
    return show(request, "bank/echo.html", context)
