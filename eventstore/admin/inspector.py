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
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

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
from .search import hex_of, link, number_in, pretty, readable, streams_of, uuid_in
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
    search_help_text = "A position, an account number, a command id or the name of a stream."
    change_form_template = "admin/eventstore/event/change_form.html"
    change_list_template = "admin/eventstore/event/change_list.html"
    fieldsets = (
        (None, {"fields": ("position", "stream", "version", "type", "schema_version", "recorded", "command")}),
        ("Content", {"fields": ("payload_json", "metadata_json")}),
        ("Chain", {"fields": ("hash_hex", "previous_hash", "chain")}),
    )

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
        stream = stream_in(request.GET.get("q", ""))
        figure = display().figure_of(stream) if stream else None
        return [*super().get_list_display(request), *([amount_column("running_figure", figure)] if figure else [])]

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

    @admin.display(description="event")
    def event(self, event: Event) -> SafeString:
        title = display().title(event.type)
        return format_html("{}<code>{}</code>", title if title != event.type else "", event.type)

    @admin.display(description="payload")
    def payload(self, event: Event) -> str:
        return readable(event.data)

    @admin.display(description="actor")
    def actor(self, event: Event) -> str:
        return str(event.metadata.get("actor") or "-")

    @admin.display(description="time")
    def time(self, event: Event) -> str:
        return f"{timezone.localtime(event.recorded_at):%Y-%m-%d %H:%M:%S}"

    @admin.display(description="recorded at")
    def recorded(self, event: Event) -> str:
        return timezone.localtime(event.recorded_at).isoformat(" ", "microseconds")

    @admin.display(description="command")
    def command(self, event: Event) -> str:
        record = CommandRecord.objects.filter(id=event.command_id).first()
        if record is None:
            return f"{event.command_id} (not on record)"
        return format_html("{} by {}", link(CommandRecord, record.pk, str(record)), record.actor or "nobody")

    @admin.display(description="data")
    def payload_json(self, event: Event) -> SafeString:
        return pretty(event.data)

    @admin.display(description="metadata")
    def metadata_json(self, event: Event) -> SafeString:
        return pretty(event.metadata)

    @admin.display(description="hash")
    def hash_hex(self, event: Event) -> SafeString:
        return hex_of(event.hash)

    @admin.display(description="previous hash")
    def previous_hash(self, event: Event) -> SafeString:
        return hex_of(self._previous(event))

    @admin.display(description="hash fits", boolean=True)
    def chain(self, event: Event) -> bool:
        """Return whether the hash covers the row and the previous hash."""
        row = (event.stream, event.version, event.type, event.schema_version)
        texts = (canonical(event.data), canonical(event.metadata))
        digest = event_hash(self._previous(event), *row, *texts, event.command_id, event.recorded_at)
        return digest == bytes(event.hash)

    def _previous(self, event: Event) -> bytes:
        before = Event.objects.filter(stream=event.stream, version=event.version - 1).first()
        return bytes(before.hash) if before else GENESIS

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
        in_stream = positions.filter(stream=obj.stream)
        context |= {
            "title_of_event": display().title(obj.type),
            "entries": [(display().label(name), display().inline(name, value)) for name, value in obj.data.items()],
            "links": display().links(obj, request.user),
            "changes": changes(obj),
            "previous_in_stream": in_stream.filter(version=obj.version - 1).first(),
            "next_in_stream": in_stream.filter(version=obj.version + 1).first(),
            "previous_in_log": positions.filter(pk__lt=obj.pk).order_by("-pk").first(),
            "next_in_log": positions.filter(pk__gt=obj.pk).order_by("pk").first(),
            "causation": tree_of(obj),
        }
        return super().render_change_form(request, context, add, change, form_url, obj)


@admin.register(CommandRecord)
class CommandRecordAdmin(ReadOnlyAdmin):
    list_display = ("id", "name", "actor", "received", "outcome", "reason", "stream", "version")
    list_filter = (OutcomeFilter, CommandNameFilter, ReceivedDayFilter)
    ordering = ("-received_at", "-id")
    search_help_text = "A command id."
    change_form_template = "admin/eventstore/commandrecord/change_form.html"
    fieldsets = (
        (None, {"fields": ("id", "name", "actor", "received", "causation", "fingerprint_hex")}),
        ("Outcome", {"fields": ("outcome", "reason", "message", "stream", "version", "position", "events")}),
        ("Proof", {"fields": ("transaction_id", "seal_hex")}),
    )

    def search_in(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        command_id = uuid_in(term)
        return queryset.none() if command_id is None else queryset.filter(id=command_id)

    @admin.display(description="received at")
    def received(self, record: CommandRecord) -> str:
        return f"{timezone.localtime(record.received_at):%Y-%m-%d %H:%M:%S}"

    @admin.display(description="events")
    def events(self, record: CommandRecord) -> str:
        if not record.event_count:
            return "none"
        return format_html('<a href="{}?q={}">What it did</a>', reverse("admin:eventstore_event_changelist"), record.pk)

    @admin.display(description="fingerprint")
    def fingerprint_hex(self, record: CommandRecord) -> SafeString:
        return hex_of(record.fingerprint)

    @admin.display(description="seal")
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
