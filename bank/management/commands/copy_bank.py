"""`manage.py copy_bank URL`: copies a bank into another database, its record with all positions and hashes."""

from argparse import ArgumentParser
from collections.abc import Iterator
from itertools import batched
from typing import Any

from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.management.base import BaseCommand, CommandError
from django.core.management.color import no_style
from django.db import DatabaseError, connections, router, transaction
from django.db.models import JSONField, Model, TextField, Value
from django.db.models.expressions import RawSQL

from bank.application import currency
from bank.operations.environment import database
from eventstore import positions, store
from eventstore.backends import backend_of
from eventstore.chain import canonical
from eventstore.models import CommandRecord, Event, Subscription

SOURCE = "source"
TARGET = "default"
BATCH = 1000
LEFT_BEHIND: set[type[Model]] = {Session}
"""The models that are not copied: all users log in again."""


class Command(BaseCommand):
    help = (
        "Copy the whole write side of a closed bank into this one, which is migrated and has no events. "
        "The read side is not copied: it is built from the events."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("url", help="the DATABASE_URL of the bank that is copied")

    def handle(self, *args: Any, url: str, **options: Any) -> None:
        connections.settings[SOURCE] = connections.configure_settings({TARGET: {}, SOURCE: database(url)})[SOURCE]
        models = list(models_to_copy())
        try:
            with transaction.atomic(using=SOURCE), transaction.atomic(using=TARGET):
                if store.last_position():
                    raise CommandError("This bank is not empty. Nothing was copied.")
                for model in models:  # all before the first copy, because a deletion cascades to copied rows
                    clear(model)
                counts = {model: copy(model) for model in models}
                currency.check()
                with connections[TARGET].cursor() as cursor:
                    for statement in connections[TARGET].ops.sequence_reset_sql(no_style(), models):
                        cursor.execute(statement)
        except (DatabaseError, currency.WrongCurrency) as error:
            raise CommandError(f"Nothing was copied: {error}") from error
        finally:
            connections[SOURCE].close()
        self.stdout.write(f"Copied {counts[Event]:,} events and {sum(counts.values()):,} rows in all.")


def models_to_copy() -> Iterator[type[Model]]:
    """Yield the models of the write side, including many-to-many tables."""
    for model in apps.get_models(include_auto_created=True):
        if router.allow_migrate_model(TARGET, model) and model not in LEFT_BEHIND:
            yield model


def clear(model: type[Model]) -> None:
    """Delete the rows of a target table that the migrations or the first start made."""
    rows = model._base_manager.using(TARGET)
    if rows.exists():  # an append-only table is empty, and refuses deletion
        rows.all().delete()


def copy(model: type[Model]) -> int:
    """Copy a table's rows, and return their number.

    Rows without transaction ids are copied in the order of their insertion: signed heads cover rejected commands in
    that order.
    """
    source = backend_of(SOURCE)
    order = "pk" if source.has_transaction_ids else RawSQL(source.record_order, ())  # noqa: S611  # a column
    rows = model._base_manager.using(TARGET)
    count = 0
    for batch in batched(model._base_manager.using(SOURCE).order_by(order).iterator(BATCH), BATCH):
        for row in batch:
            adapt(row)
        rows.bulk_create(batch)
        count += len(batch)
    return count


def adapt(row: Model) -> None:
    """Convert a row to the form that the bank writes to the target."""
    target = backend_of(TARGET)
    if isinstance(row, Subscription):
        adapt_checkpoint(row)
    if isinstance(row, Event | CommandRecord | Subscription) and not target.has_transaction_ids:
        row.transaction_id = 0
    for field in row._meta.concrete_fields:
        if isinstance(field, JSONField) and target.stores_text:  # the hashed text, and not only its value
            setattr(row, field.name, Value(canonical(getattr(row, field.name)), TextField()))


def adapt_checkpoint(row: Subscription) -> None:
    """Convert a checkpoint to the order of the target, so that no event after it is lost. Nobody has its lease.

    Without transaction ids, events are in the order of their positions. Then the checkpoint is before the lowest
    position that is after it in the source. Some of the events after that are answered again, which changes nothing.
    """
    row.worker, row.leased_until = "", None
    if backend_of(SOURCE).has_transaction_ids and not backend_of(TARGET).has_transaction_ids:
        first = positions.lowest_after(row.log_position, using=SOURCE)
        row.position = row.position if first is None else min(row.position, first - 1)
