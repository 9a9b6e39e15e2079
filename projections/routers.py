"""The database router of the read side."""

from typing import Any

from django.conf import settings
from django.db.models import Model

from . import replicas
from .replicas import READ_SIDE as READ_SIDE


class ProjectionsRouter:
    """Router that sends the projections to the read side's database, and everything else to `default`."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        return replicas.reading_from() if model._meta.app_label == READ_SIDE else None

    def db_for_write(self, model: type[Model], **hints: Any) -> str | None:
        return READ_SIDE if model._meta.app_label == READ_SIDE else None

    def allow_relation(self, first: Model, second: Model, **hints: Any) -> bool | None:
        return (first._meta.app_label == READ_SIDE) == (second._meta.app_label == READ_SIDE)

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        if db in settings.PROJECTIONS_REPLICAS:  # the primary replicates everything to them
            return False
        return (app_label == READ_SIDE) == (db == READ_SIDE)
