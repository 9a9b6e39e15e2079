"""The inspector: read-only admin pages of the whole record."""

import logging
from typing import Any, ClassVar, NamedTuple

from django.conf import settings
from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString

from ..chain import GENESIS, canonical, event_hash
from ..models import CommandRecord, Event, Snapshot, Subscription
from .causation import tree_of
from .filters import (
    ActorFilter,
    AnyAdmin,
    BoundedPaginator,
    CommandNameFilter,
    DayFilter,
    FixedOrder,
    LogPaginator,
    OutcomeFilter,
    ReceivedDayFilter,
    TypeFilter,
)
from .search import hex_of, link, number_in, pretty, readable, shown, streams_of, uuid_in

logger = logging.getLogger(__name__)


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


class Change(NamedTuple):
    """One entry of a state, before and after an event."""

    name: str
    before: str
    after: str
    changed: bool


def changes(event: Event) -> list[Change] | None:
    """Return the state of the event's stream before and after it, or None if it cannot be rebuilt."""
    state_of = import_string(settings.EVENTSTORE_STATE_OF)
    try:
        before, after = state_of(event.stream, event.version - 1), state_of(event.stream, event.version)
    except Exception:  # the page of an old or unknown event must still open
        logger.exception("The state of %s at %s could not be rebuilt", event.stream, event.version)
        return None
    pairs = {name: (before.get(name), after.get(name)) for name in {**before, **after}}
    return [Change(name, shown(name, old), shown(name, new), old != new) for name, (old, new) in pairs.items()]


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("position", "stream", "version", "type", "payload", "actor", "time")
    list_filter = (TypeFilter, DayFilter, ActorFilter)
    paginator = LogPaginator
    search_help_text = "A position, an account number, a command id or the name of a stream."
    change_form_template = "admin/eventstore/event/change_form.html"
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


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnlyAdmin):
    list_display = ("stream", "version", "content")
    ordering = ("stream",)
    search_help_text = "An account number or the name of a stream."
    fields = ("stream", "version", "state_json", "hash_hex", "seal_hex")

    def search_in(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        number = number_in(term)
        return queryset.filter(stream__in=[term] if number is None else streams_of(number))

    @admin.display(description="state")
    def content(self, snapshot: Snapshot) -> str:
        return readable(snapshot.state)

    @admin.display(description="state")
    def state_json(self, snapshot: Snapshot) -> SafeString:
        return pretty(snapshot.state)

    @admin.display(description="hash")
    def hash_hex(self, snapshot: Snapshot) -> SafeString:
        return hex_of(snapshot.hash)

    @admin.display(description="seal")
    def seal_hex(self, snapshot: Snapshot) -> SafeString:
        return hex_of(snapshot.seal)


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    list_display = ("name", "position", "updated_at", "healthy", "failed_at_event", "error")
    fields = (*list_display, "failed_at", "worker", "leased_until")
    search_fields = ()
    ordering = ("name",)

    @admin.display(description="healthy", boolean=True)
    def healthy(self, subscription: Subscription) -> bool:
        return not subscription.error

    @admin.display(description="failed at")
    def failed_at_event(self, subscription: Subscription) -> str:
        position = subscription.failed_position
        return "-" if position is None else link(Event, position, f"event {position}")
