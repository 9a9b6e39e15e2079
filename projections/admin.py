"""Read-only admin pages of the read side's tables."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, gettext_lazy

from eventstore.admin.read_only import ReadOnlyAdmin
from eventstore.admin.search import number_in, uuid_in

from . import freshness
from .checkpoint_models import WORKER_NOW
from .kinds import kind_named
from .models import (
    AccountSummary,
    BankTotals,
    Checkpoint,
    DailyTotals,
    MoneyTransfer,
    ParkedStream,
    RefusedWithdrawal,
    StatementLine,
    TillMovement,
    TillShift,
)
from .till_kinds import words_of


@admin.register(AccountSummary)
class AccountSummaryAdmin(ReadOnlyAdmin):
    list_display = (
        "account_id",
        "account_holder",
        "balance",
        "version",
        "pin_locked",
        "opened_at",
        "closed_at",
        "last_event_at",
    )
    ordering = ("-account_id",)
    search_help_text = gettext_lazy("An account number.")

    def search_in(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        number = number_in(term)
        return queryset.none() if number is None else queryset.filter(account_id=number)


class EntryAdmin(ReadOnlyAdmin):
    """Rows with one event each."""

    ordering = ("-position",)
    search_help_text = gettext_lazy("A position, an account number or a command id.")

    @admin.display(description=gettext_lazy("kind"))
    def entry_kind(self, row: Any) -> str:
        return gettext(kind_named(row.kind if isinstance(row, StatementLine) else row.reason).words)

    def search_in(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        if (number := number_in(term)) is not None:
            return queryset.filter(position=number) | queryset.filter(account_id=number)
        command_id = uuid_in(term)
        return queryset.none() if command_id is None else queryset.filter(command_id=command_id)


@admin.register(StatementLine)
class StatementLineAdmin(EntryAdmin):
    list_display = ("position", "account_id", "version", "entry_kind", "amount", "balance", "recorded_at", "actor")


@admin.register(RefusedWithdrawal)
class RefusedWithdrawalAdmin(EntryAdmin):
    list_display = (
        "position",
        "account_id",
        "version",
        "entry_kind",
        "amount_requested",
        "balance",
        "recorded_at",
        "actor",
    )


@admin.register(MoneyTransfer)
class MoneyTransferAdmin(ReadOnlyAdmin):
    list_display = ("transfer_id", "account_id", "to_account_id", "amount", "sent_at", "arrived_at", "returned_at")
    ordering = ("-sent_at", "-transfer_id")
    search_help_text = gettext_lazy("The number of either account, or the id of the command that sent the money.")

    def search_in(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        if (number := number_in(term)) is not None:
            return queryset.filter(account_id=number) | queryset.filter(to_account_id=number)
        transfer_id = uuid_in(term)
        return queryset.none() if transfer_id is None else queryset.filter(transfer_id=transfer_id)


@admin.register(BankTotals)
class BankTotalsAdmin(ReadOnlyAdmin):
    list_display = ("id", "accounts", "balance", "paid_in", "paid_out", "on_its_way")
    fields = list_display
    search_fields = ()
    ordering = ("id",)


@admin.register(DailyTotals)
class DailyTotalsAdmin(ReadOnlyAdmin):
    list_display = (
        "day",
        "accounts_opened",
        "deposits",
        "paid_in",
        "withdrawals",
        "paid_out",
        "corrections",
        "refusals",
    )
    fields = list_display
    search_fields = ()
    ordering = ("-day",)


@admin.register(TillShift)
class TillShiftAdmin(ReadOnlyAdmin):
    list_display = (
        "till_id",
        "shift",
        "teller",
        "opened_at",
        "expected",
        "counted",
        "difference",
        "late",
        "closed_at",
    )
    ordering = ("-opened_at", "key")
    search_help_text = gettext_lazy("A till's number.")

    def search_in(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        number = number_in(term)
        return queryset.none() if number is None else queryset.filter(till_id=number)


@admin.register(TillMovement)
class TillMovementAdmin(ReadOnlyAdmin):
    list_display = ("position", "till_id", "shift", "movement", "amount", "expected", "recorded_at", "actor")
    ordering = ("-position",)
    search_help_text = gettext_lazy("A position, a till's number or the command id of a payment.")

    @admin.display(description=gettext_lazy("kind"))
    def movement(self, row: TillMovement) -> str:
        return words_of(row.kind)

    def search_in(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        if (number := number_in(term)) is not None:
            return queryset.filter(position=number) | queryset.filter(till_id=number)
        command_id = uuid_in(term)
        return queryset.none() if command_id is None else queryset.filter(about_command_id=command_id)


@admin.register(Checkpoint)
class CheckpointAdmin(ReadOnlyAdmin):
    list_display = ("name", "position", "updated_at", "healthy", "failed_position", "error", "working")
    search_fields = ()
    ordering = ("name",)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list. The subtitle names the transaction that holds the projections back, if there is one."""
        held_back = freshness.held_back(freshness.projection_states())
        subtitle = {"subtitle": str(held_back)} if held_back else {}
        return super().changelist_view(request, {**(extra_context or {}), **subtitle})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        checkpoints: QuerySet[Any] = super().get_queryset(request).annotate(worker_now=WORKER_NOW)
        return checkpoints

    @admin.display(description=gettext_lazy("healthy"), boolean=True)
    def healthy(self, checkpoint: Checkpoint) -> bool:
        return not checkpoint.error

    @admin.display(description=gettext_lazy("worker"))
    def working(self, checkpoint: Checkpoint) -> str:
        return getattr(checkpoint, "worker_now", "") or "-"


@admin.register(ParkedStream)
class ParkedStreamAdmin(ReadOnlyAdmin):
    list_display = ("projection", "stream", "version", "position", "event_type", "error", "recorded_at", "parked_at")
    ordering = ("-position", "projection")
    search_help_text = gettext_lazy("A position or a stream.")

    def search_in(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        number = number_in(term)
        return queryset.filter(stream=term) if number is None else queryset.filter(position=number)
