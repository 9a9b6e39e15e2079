"""The base of read-only admin pages, which show amounts as the application's display shows them."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import BooleanField, CharField, DateTimeField, Model, QuerySet, TextField
from django.db.models.options import Options
from django.http import HttpRequest, HttpResponse
from django.utils.functional import lazy
from django.utils.text import capfirst

from .display import display
from .filters import AnyAdmin, BoundedPaginator, FixedOrder
from .search import isolated, moment


class ReadOnlyAdmin(AnyAdmin):
    """Read-only admin for users with the view permission. `search_in` implements the search."""

    actions = None
    change_form_template = "admin/eventstore/change_form.html"
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()
    search_fields: ClassVar[tuple[str, ...]] = (
        "pk",
    )  # makes Django show the search field; `search_in` does the search

    class Media:
        css = {"all": ["eventstore/admin.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[FixedOrder]:
        return FixedOrder

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return self._columns(super().get_list_display(request))

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        return self._columns(super().get_fields(request, obj))

    def _columns(self, names: Iterable[Any]) -> list[Any]:
        return [_column(self.opts, each) if isinstance(each, str) else each for each in names]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow only the lookups of the filters: any other might scan the whole table."""
        return lookup in {getattr(each, "parameter_name", None) for each in self.list_filter}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        return (self.search_in(queryset, term) if term else queryset), False

    def search_in(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        return queryset


@cache
def _column(table: "Options[Any]", name: str) -> Any:
    """Return a column: an amount, a time or a text as the inspector shows it, anything else as Django does."""
    if display().unit(name):
        return amount_column(name, name)
    field = next((each for each in table.fields if each.name == name and not each.choices), None)
    if isinstance(field, DateTimeField):
        return field_column(name, field.verbose_name, moment)
    if isinstance(field, CharField | TextField):
        return field_column(name, field.verbose_name, isolated)
    if isinstance(field, BooleanField):
        return field_column(name, field.verbose_name, lambda value: display().text(name, value))
    return name


def _heading_of(entry: str) -> str:
    return display().heading(entry)


_heading = lazy(_heading_of, str)
"""Return the heading of a column in the language of the reader."""


@cache
def amount_column(attribute: str, entry: str) -> Callable[[Any], str]:
    """Return a column of amounts: an attribute of each row, shown as an entry of the display."""
    column = field_column(attribute, _heading(entry), lambda value: display().text(entry, value))
    column.__name__ = "amount"
    return column


def field_column(name: str, heading: Any, shown: Callable[[Any], str]) -> Callable[[Any], str]:
    """Return a column of an attribute that a function shows. Django makes of its name the CSS class of the cells."""

    @admin.display(description=heading)
    def column(row: Any) -> str:
        value = getattr(row, name)
        return "-" if value in (None, "") else shown(value)

    column.__name__ = name
    return column
