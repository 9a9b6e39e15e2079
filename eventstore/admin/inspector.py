"""The inspector: read-only admin pages of the whole record."""

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from ..chain import GENESIS, canonical, event_hash
from ..csv_text import CONTENT_TYPE
from ..models import CommandRecord, Event
from . import export
from .causation import tree_of
from .display import display
from .filters import (
    ActorFilter,
    CommandNameFilter,
    DayFilter,
    FixedOrder,
    LogPaginator,
    OutcomeFilter,
    ReceivedDayFilter,
    TypeFilter,
)
from .read_only import ReadOnlyAdmin, amount_column
from .search import hex_of, isolated, moment, number_in, pretty, readable, streams_of, time_heading, uuid_in
from .states import changes, figure_at


class EventList(FixedOrder):
    """The list of events. The events of one stream have its running figure."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if (stream := stream_in(self.query)) and display().figure_of(stream):
            events: list[Event] = list(self.result_list)
            running = figure_at(events)
            for event in events:
                event.running_figure = running.get(event.version)  # type: ignore[attr-defined]
            self.result_list = events


def stream_in(query: str) -> str | None:
    """Return the stream that a search term names, or None."""
    term = query.strip()
    return term if term and number_in(term) is None and uuid_in(term) is None else None


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("position", "time", "event", "stream", "version", "payload", "actor")
    list_filter = (TypeFilter, DayFilter, ActorFilter)
    paginator = LogPaginator
    search_help_text = gettext_lazy("A position, an account number, a command id or the name of a stream.")
    change_form_template = "admin/eventstore/event/change_form.html"
    change_list_template = "admin/eventstore/event/change_list.html"

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        # Each order is that of the index that finds the rows.
        return ("-recorded_at", "-position") if request.GET.get("day") else ("-position",)

    def search_in(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        if (number := number_in(term)) is not None:
            return queryset.filter(Q(position=number) | Q(stream__in=streams_of(number)))
        if (command_id := uuid_in(term)) is not None:
            record = CommandRecord.objects.filter(id=command_id).first()
            if record is None or record.version is None:
                return queryset.none()
            first = record.version - record.event_count + 1
            return queryset.filter(stream=record.stream, version__gte=first, version__lte=record.version)
        return queryset.filter(stream=term)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[EventList]:
        return EventList

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = super().get_list_display(request)
        stream = stream_in(request.GET.get("q", ""))
        if figure := display().figure_of(stream) if stream else None:
            columns = [each for each in columns if getattr(each, "__name__", "") != "stream"]
            columns.append(amount_column("running_figure", figure))
        return columns

    def get_urls(self) -> list[URLPattern]:
        files = {"csv": self.as_csv, "jsonl": self.as_json_lines}
        return [
            *(
                path(f"export.{kind}", self.admin_site.admin_view(view), name=f"eventstore_event_{kind}")
                for kind, view in files.items()
            ),
            *super().get_urls(),
        ]

    def as_csv(self, request: HttpRequest) -> HttpResponseBase:
        return self._exported(request, "csv", CONTENT_TYPE, export.csv_parts)

    def as_json_lines(self, request: HttpRequest) -> HttpResponseBase:
        return self._exported(request, "jsonl", "application/jsonl", lambda events, stream: export.json_lines(events))

    def _exported(
        self,
        request: HttpRequest,
        kind: str,
        content_type: str,
        parts: Callable[[Iterator[Event], str | None], Iterator[str]],
    ) -> HttpResponseBase:
        """Return a file of the events that the list with these query parameters has on all its pages."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        try:
            found = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return redirect("admin:eventstore_event_changelist")
        stream = stream_in(found.query)
        events = export.in_order(found.queryset, stream=stream, by_time="day" in request.GET)
        response = StreamingHttpResponse(parts(events, stream), content_type=content_type)
        response["Content-Disposition"] = f'attachment; filename="events.{kind}"'
        return response

    @admin.display(description=gettext_lazy("event"))
    def event(self, event: Event) -> SafeString:
        title = display().title(event.type)
        return format_html("{}<code>{}</code>", title if title != event.type else "", event.type)

    @admin.display(description=gettext_lazy("payload"))
    def payload(self, event: Event) -> SafeString:
        return isolated(readable(event.data))

    @admin.display(description=gettext_lazy("actor"))
    def actor(self, event: Event) -> SafeString:
        return isolated(event.metadata.get("actor") or "-")

    @admin.display(description=time_heading(gettext_lazy("time")))
    def time(self, event: Event) -> SafeString:
        return moment(event.recorded_at, zone=False)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Event | None = None,
    ) -> HttpResponse:
        assert obj is not None, "an event cannot be added"
        positions = Event.objects.values_list("pk", flat=True)
        near = Event.objects.filter(stream=obj.stream, version__in=[obj.version - 1, obj.version + 1])
        by_version = {each.version: each for each in near}
        before, after = by_version.get(obj.version - 1), by_version.get(obj.version + 1)
        shown, pages = display(), dict(display().pages(obj, request.user))
        entries = [(shown.label(each), shown.inline(each, obj.data[each]), pages.pop(each, "")) for each in obj.data]
        context |= {
            "title": shown.title(obj.type),
            "subtitle": None,
            "entries": [*entries, *((shown.label(name), obj.position, url) for name, url in pages.items())],
            "recorded": moment(obj.recorded_at, "milliseconds"),
            "command": CommandRecord.objects.filter(id=obj.command_id).first(),
            "data": pretty(obj.data),
            "metadata": pretty(obj.metadata),
            "changes": changes(obj),
            "chain": [(each, hex_of(each.hash)) for each in (before, obj, after) if each],
            "genesis": None if before else hex_of(GENESIS),
            "fits": hash_fits(obj, bytes(before.hash) if before else GENESIS),
            "previous_in_stream": before and before.pk,
            "next_in_stream": after and after.pk,
            "previous_in_log": positions.filter(pk__lt=obj.pk).order_by("-pk").first(),
            "next_in_log": positions.filter(pk__gt=obj.pk).order_by("pk").first(),
            "causation": tree_of(obj),
        }
        return super().render_change_form(request, context, add, change, form_url, obj)


def hash_fits(event: Event, previous_hash: bytes) -> bool:
    """Return whether an event's hash covers its row and the hash of the event before it."""
    row = (event.stream, event.version, event.type, event.schema_version)
    texts = (canonical(event.data), canonical(event.metadata))
    return event_hash(previous_hash, *row, *texts, event.command_id, event.recorded_at) == bytes(event.hash)


@admin.register(CommandRecord)
class CommandRecordAdmin(ReadOnlyAdmin):
    list_display = ("id", "name", "actor", "received", "outcome", "reason", "stream", "version")
    list_filter = (OutcomeFilter, CommandNameFilter, ReceivedDayFilter)
    ordering = ("-received_at", "-id")
    search_help_text = gettext_lazy("A command id.")
    change_form_template = "admin/eventstore/commandrecord/change_form.html"
    fieldsets = (
        (None, {"fields": ("id", "name", "actor", "received", "causation", "fingerprint_hex")}),
        (
            gettext_lazy("Outcome"),
            {"fields": ("outcome", "reason", "message", "stream", "version", "position", "events")},
        ),
        (gettext_lazy("Proof"), {"fields": ("transaction_id", "seal_hex")}),
    )

    def search_in(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        command_id = uuid_in(term)
        return queryset.none() if command_id is None else queryset.filter(id=command_id)

    @admin.display(description=time_heading(gettext_lazy("received")))
    def received(self, record: CommandRecord) -> SafeString:
        return moment(record.received_at, zone=False)

    @admin.display(description=gettext_lazy("events"))
    def events(self, record: CommandRecord) -> str:
        if not record.event_count:
            return gettext("none")
        url = f"{reverse('admin:eventstore_event_changelist')}?q={record.pk}"
        return format_html('<a href="{}">{}</a>', url, gettext("What it did"))

    @admin.display(description=gettext_lazy("fingerprint"))
    def fingerprint_hex(self, record: CommandRecord) -> SafeString:
        return hex_of(record.fingerprint)

    @admin.display(description=gettext_lazy("seal"))
    def seal_hex(self, record: CommandRecord) -> SafeString:
        return hex_of(record.seal)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: CommandRecord | None = None,
    ) -> HttpResponse:
        assert obj is not None, "a command record cannot be added"
        context["causation"] = tree_of(obj)
        return super().render_change_form(request, context, add, change, form_url, obj)
