"""Which database a model lives in."""

from typing import Any

from django.db.models import Model

READ_SIDE = "projections"
"""The alias of the read side's database, and the label of the one app that lives there."""


class ProjectionsRouter:
    """Puts the projections into the read side's database and everything else into `default`."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        return READ_SIDE if model._meta.app_label == READ_SIDE else None

    db_for_write = db_for_read

    def allow_relation(self, first: Model, second: Model, **hints: Any) -> bool | None:
        return (first._meta.app_label == READ_SIDE) == (second._meta.app_label == READ_SIDE)

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (app_label == READ_SIDE) == (db == READ_SIDE)
