"""The screens of tills: the teller's own till, and all tills of a day for supervisors."""

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from projections import queries

from ..application.tills import TellersTill, till_of
from ..domain.errors import TillShiftOver
from . import check
from .dates import beginning_of, chosen_day, end_of
from .pages import Request, how_fresh, page, show, whole_number
from .tasks import form_of, may_serve, may_supervise, task
from .till_forms import BringForm, CountForm, OpenTillForm, TakeForm, VaultForm


@may_serve
@page
def my_till(request: Request) -> HttpResponse:
    """Show the teller's open till, or offer to open one."""
    fresh = how_fresh(request)
    teller = request.user.get_username()
    if shift := queries.open_shift_of(teller):
        return _show_shift(request, shift, freshness=fresh)
    return show(request, "bank/till.html", {"freshness": fresh, "last": queries.last_shift_of(teller)})


@page
def one_shift(request: Request, till_id: int, shift: int) -> HttpResponse:
    """Show one shift of a till."""
    fresh = how_fresh(request)
    return _show_shift(request, _shift_or_404(till_id, shift), freshness=fresh)


def _show_shift(request: Request, shift: queries.Shift, **context: Any) -> HttpResponse:
    before = request.GET.get("before")
    context |= {
        "shift": shift,
        "is_mine": shift.teller == request.user.get_username(),
        "before": before,
        "page": queries.till_movements(shift.till_id, shift.shift, before=whole_number(before)),
    }
    return show(request, "bank/till.html", context, shown=(shift, context["page"]))


def _shift_or_404(till_id: int, shift: int) -> queries.Shift:
    found = queries.find_shift(till_id, shift)
    if found is None:
        raise Http404(f"Till {till_id} has no shift {shift}.")
    return found


@permission_required("bank.supervise", raise_exception=True)
@page
def of_day(request: Request) -> HttpResponse:
    """Show all tills of a day with their differences (supervisors)."""
    fresh = how_fresh(request)
    chosen = chosen_day(request.GET.get("day", "")[:100])
    day, end = chosen["day"], end_of(chosen["day"])
    shifts = queries.shifts_between(beginning_of(day), end)
    context = chosen | {
        "freshness": fresh,
        "shifts": shifts,
        "still_open": sum(each.is_open for each in shifts),
        # A difference belongs to the day of the count, also where the till was open over midnight.
        "difference": sum(each.difference or 0 for each in shifts if each.closed_at and each.closed_at < end),
    }
    return show(request, "bank/tills.html", context, status=422 if chosen["error"] else 200, shown=(day, shifts))


# Tasks


@require_http_methods(["GET", "HEAD", "POST"])
@may_serve
def open_till(request: Request) -> HttpResponse:
    """Open a till."""
    how_fresh(request)
    initial = {"till_id": queries.free_till}
    form = OpenTillForm(request.POST or None, teller=request.user.get_username(), initial=initial)
    return task(request, form, gettext("Open a till"), then=reverse("my_till"))


@require_http_methods(["GET", "HEAD", "POST"])
@may_serve
def bring_cash(request: Request, till_id: int, shift: int) -> HttpResponse:
    """Bring cash from the vault into the teller's till."""
    return _vault_task(
        request, till_id, shift, BringForm, gettext("Bring cash from the vault into till {}").format(till_id)
    )


@require_http_methods(["GET", "HEAD", "POST"])
@may_serve
def take_cash(request: Request, till_id: int, shift: int) -> HttpResponse:
    """Take cash from the teller's till to the vault."""
    return _vault_task(
        request, till_id, shift, TakeForm, gettext("Take cash from till {} to the vault").format(till_id)
    )


@require_http_methods(["GET", "HEAD", "POST"])
@may_serve
def close_till(request: Request, till_id: int, shift: int) -> HttpResponse:
    """Count and close the teller's own till."""
    return _count_task(request, till_id, shift, _refusal(request, till_id, shift))


@require_http_methods(["GET", "HEAD", "POST"])
@may_supervise
def close_till_for(request: Request, till_id: int, shift: int) -> HttpResponse:
    """Count and close the till of a teller who has left (supervisors)."""
    return _count_task(request, till_id, shift, None)


def _vault_task(request: Request, till_id: int, shift: int, form_class: type[VaultForm], heading: str) -> HttpResponse:
    kwargs: dict[str, Any] = {"till_id": till_id, "shift": shift}
    form = form_of(request, form_class, **kwargs) or form_class(**kwargs)
    refusal = _refusal(request, till_id, shift)
    shown: dict[str, Any] = {"back": reverse("my_till")}
    if form.repeated and (found := queries.find_shift(till_id, shift)):
        shown |= {"limit": check.limit(), "sums": check.Sums(found.expected, form.sign * form.repeated)}
    return task(request, form, heading, then=reverse("my_till"), refusal=refusal, **shown)


def _count_task(request: Request, till_id: int, shift: int, refusal: TillShiftOver | None) -> HttpResponse:
    """Show the count with its sums, or close the till."""
    fresh = how_fresh(request)
    found = _shift_or_404(till_id, shift)
    form = CountForm(request.POST or None, till_id=till_id, shift=shift, expected=found.expected)
    heading = gettext("Count and close till {number}").format(number=till_id)
    if request.user.get_username() != found.teller:
        heading = gettext("Count and close till {number} of {teller}").format(number=till_id, teller=found.teller)
    url = reverse("shift", args=[till_id, shift])
    if "add_up" in request.POST:
        if request.htmx and request.htmx.target == "sums":
            return render(request, "bank/count.html#sums", {"form": form})
        form.begin()
        context = {"form": form, "heading": heading, "action": request.path, "back": url, "freshness": fresh}
        return show(request, "bank/task.html", context, part="form", status=422 if form.errors else 200)
    return task(request, form, heading, then=url, back=url, refusal=refusal)


def _refusal(request: Request, till_id: int, shift: int) -> TillShiftOver | None:
    """Return the refusal of a task at a till that the teller does not have open now, or None."""
    if till_of(request.user.get_username()) == TellersTill(till_id, shift):
        return None
    return TillShiftOver(f"You do not have till {till_id} open any more. Nothing was recorded.")
