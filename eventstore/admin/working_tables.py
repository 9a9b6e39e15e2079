"""Read-only admin pages of the tables that are no record: snapshots and subscriptions."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from ..models import Event, Snapshot, Subscription
from .read_only import ReadOnlyAdmin
from .search import hex_of, isolated, link, number_in, pretty, readable, streams_of


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnlyAdmin):
    list_display = ("stream", "version", "content")
    ordering = ("stream",)
    search_help_text = gettext_lazy("An account number or the name of a stream.")
    fields = ("stream", "version", "state_json", "hash_hex", "seal_hex")

    def search_in(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        number = number_in(term)
        return queryset.filter(stream__in=[term] if number is None else streams_of(number))

    @admin.display(description=gettext_lazy("state"))
    def content(self, snapshot: Snapshot) -> SafeString:
        return isolated(readable(snapshot.state))

    @admin.display(description=gettext_lazy("state"))
    def state_json(self, snapshot: Snapshot) -> SafeString:
        return pretty(snapshot.state)

    @admin.display(description=gettext_lazy("hash"))
    def hash_hex(self, snapshot: Snapshot) -> SafeString:
        return hex_of(snapshot.hash)

    @admin.display(description=gettext_lazy("seal"))
    def seal_hex(self, snapshot: Snapshot) -> SafeString:
        return hex_of(snapshot.seal)


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    list_display = ("name", "position", "updated_at", "healthy", "failed_at_event", "error")
    fields = ("name", "position", "updated_at", "failed_at_event", "error", "failed_at", "worker", "leased_until")
    search_fields = ()
    ordering = ("name",)

    @admin.display(description=gettext_lazy("healthy"), boolean=True)
    def healthy(self, subscription: Subscription) -> bool:
        return not subscription.error

    @admin.display(description=gettext_lazy("failed at"))
    def failed_at_event(self, subscription: Subscription) -> str:
        position = subscription.failed_position
        return "-" if position is None else link(Event, position, gettext("event {position}").format(position=position))
