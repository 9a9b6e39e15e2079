"""Filters and pagination of the inspector. No query counts or scans the whole log, so long logs stay fast."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Page, Paginator
from django.db import connections
from django.db.models import QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext, gettext_lazy

from .. import store
from ..models import ActorIn, CommandRecord, Event

if TYPE_CHECKING:
    AnyAdmin = admin.ModelAdmin[Any]
    AnyPaginator = Paginator[Any]
else:
    AnyAdmin = admin.ModelAdmin
    AnyPaginator = Paginator

CAP = 10_000
"""The largest number of rows of a filtered list that are counted and paged."""
CHOICES = 200
"""The largest number of values that a filter offers."""


class BoundedPaginator(AnyPaginator):
    """Paginator that counts at most `CAP` rows."""

    object_list: QuerySet[Any]

    @cached_property
    def _counted(self) -> int:
        return self.object_list.order_by()[: CAP + 1].count()

    @property
    def capped(self) -> bool:
        return self._counted > CAP

    @cached_property
    def count(self) -> int:
        return min(self._counted, CAP)


class LogPaginator(BoundedPaginator):
    """Paginator of the whole log by position, so that the last page costs as much as the first."""

    @cached_property
    def whole(self) -> bool:
        return not self.object_list.query.where.children

    @cached_property
    def _counted(self) -> int:
        return store.last_position() if self.whole else super()._counted

    @property
    def capped(self) -> bool:
        return not self.whole and super().capped

    @cached_property
    def count(self) -> int:
        return self._counted if self.whole else min(self._counted, CAP)

    def page(self, number: int | str) -> Page[Any]:
        if not self.whole:
            return super().page(number)
        number = self.validate_number(number)
        last = self.count - (number - 1) * self.per_page
        rows = self.object_list.filter(position__gt=last - self.per_page, position__lte=last)
        return Page(rows, number, self)


class FixedOrder(ChangeList):
    """Change list in the one order that an index supports."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str | Combinable]:
        return list(self.model_admin.get_ordering(request))


def distinct(table: str, expression: str) -> list[str]:
    """Return the distinct values of an indexed expression with a recursive skip scan of the index."""
    with connections[store.WRITE_SIDE].cursor() as cursor:
        cursor.execute(
            f"""WITH RECURSIVE leap(value) AS (
                    SELECT (SELECT MIN({expression}) FROM {table})
                    UNION ALL
                    SELECT (SELECT MIN({expression}) FROM {table} WHERE {expression} > leap.value)
                    FROM leap WHERE leap.value IS NOT NULL
                )
                SELECT value FROM leap WHERE value IS NOT NULL LIMIT {CHOICES}"""
        )
        return [value for (value,) in cursor.fetchall()]


class _Value(admin.SimpleListFilter):
    table: ClassVar[str] = "eventstore_event"

    parameter_name: str

    def expression(self) -> str:
        return self.parameter_name

    def lookups(self, request: HttpRequest, model_admin: AnyAdmin) -> list[tuple[str, str]]:
        return [(value, value or gettext("(nobody)")) for value in distinct(self.table, self.expression())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None else queryset.filter(**{self.parameter_name: value})


class TypeFilter(_Value):
    title = gettext_lazy("type")
    parameter_name = "type"


class CommandNameFilter(_Value):
    title = gettext_lazy("name")
    parameter_name = "name"
    table = "eventstore_commandrecord"


class ActorFilter(_Value):
    title = gettext_lazy("actor")
    parameter_name = "actor"

    def expression(self) -> str:
        query = Event.objects.all().query
        sql, _ = query.get_compiler(store.WRITE_SIDE).compile(ActorIn("metadata").resolve_expression(query))
        return str(sql)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None else queryset.alias(actor=ActorIn("metadata")).filter(actor=value)


class OutcomeFilter(admin.SimpleListFilter):
    title = gettext_lazy("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: AnyAdmin) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in CommandRecord.Outcome.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None else queryset.filter(outcome=value)


class DayFilter(admin.SimpleListFilter):
    """Filter by a day of the bank's time zone or by the last seven days. Other days are picked or typed."""

    title = gettext_lazy("day")
    parameter_name = "day"
    template = "admin/eventstore/day_filter.html"
    field: ClassVar[str] = "recorded_at"
    others: list[tuple[str, str]]

    def lookups(self, request: HttpRequest, model_admin: AnyAdmin) -> list[tuple[str, str]]:
        return [("today", gettext("Today")), ("yesterday", gettext("Yesterday")), ("week", gettext("Last 7 days"))]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        self.others = [(key, value) for key, value in changelist.params.items() if key != self.parameter_name]
        return super().choices(changelist)

    def picked(self) -> str:
        """Return the picked day for the date field, or the empty string."""
        value = self.value()
        return "" if value is None or value in dict(self.lookup_choices) else value

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        try:
            start, end = self._range(value)
        except (ValueError, OverflowError):
            return queryset.none()
        return queryset.filter(**{f"{self.field}__gte": start, f"{self.field}__lt": end})

    def _range(self, value: str) -> tuple[datetime, datetime]:
        today = timezone.localdate()
        first, days = {
            "today": (today, 1),
            "yesterday": (today - timedelta(days=1), 1),
            "week": (today - timedelta(days=6), 7),
        }.get(value) or (date.fromisoformat(value), 1)
        zone = timezone.get_current_timezone()
        start = datetime.combine(first, time.min, tzinfo=zone)
        end = datetime.combine(first + timedelta(days=days), time.min, tzinfo=zone)
        return start.astimezone(UTC), end.astimezone(UTC)


class ReceivedDayFilter(DayFilter):
    field = "received_at"
