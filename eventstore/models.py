"""The write side's tables. Everyday writing and reading goes through `store.py`; these models are for looking."""

from typing import Any, Never

from django.db import models
from django.db.models.fields.json import KT


class AppendOnly(Exception):
    """Somebody tried to change or delete what was recorded."""


class AppendOnlyQuerySet[M: models.Model](models.QuerySet[M]):
    """Rows that can be read. Writing is the store's; changing and deleting is nobody's."""

    def _refuse(self, *args: Any, **kwargs: Any) -> Never:
        raise AppendOnly(f"{self.model._meta.verbose_name_plural} are never changed or deleted")

    update = delete = bulk_update = bulk_create = create = get_or_create = update_or_create = _refuse
    _raw_delete = _update = _refuse


class AppendOnlyModel(models.Model):
    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> Never:
        raise AppendOnly(f"{self._meta.verbose_name_plural} are appended by the event store only")

    def delete(self, *args: Any, **kwargs: Any) -> Never:
        raise AppendOnly(f"{self._meta.verbose_name_plural} are never deleted")


class Event(AppendOnlyModel):
    """One fact. `position` is the order of the whole log, `version` the order within its stream."""

    position = models.BigAutoField(primary_key=True)
    stream = models.CharField(max_length=200)
    version = models.BigIntegerField()
    type = models.CharField(max_length=100)
    schema_version = models.SmallIntegerField()
    data = models.JSONField()
    metadata = models.JSONField()
    command_id = models.UUIDField()
    recorded_at = models.DateTimeField()
    transaction_id = models.BigIntegerField(db_default=0, help_text="PostgreSQL's xid8; 0 on SQLite")
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stream", "version"], name="event_stream_version")]
        indexes = [
            models.Index(fields=["type", "position"], name="event_type"),
            models.Index(fields=["recorded_at"], name="event_recorded_at"),
            models.Index(KT("metadata__actor"), "position", name="event_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.stream} {self.version} {self.type}"


class CommandRecord(AppendOnlyModel):
    """One command that was carried out or rejected, so that its id counts once. Never holds a PIN."""

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted"
        REJECTED = "rejected"

    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=100)
    actor = models.CharField(max_length=150)
    received_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome)
    reason = models.CharField(max_length=100, help_text="The code of a rejection")
    message = models.CharField(max_length=500, help_text="What a rejection said")
    stream = models.CharField(max_length=200)
    version = models.BigIntegerField(null=True, help_text="The stream's version after the command")
    position = models.BigIntegerField(null=True, help_text="The position of its last event")
    event_count = models.IntegerField()
    fingerprint = models.BinaryField(max_length=32, help_text="HMAC-SHA256 of the whole command")

    def __str__(self) -> str:
        return f"{self.name} {self.id}"


class Snapshot(models.Model):
    """What a stream's events up to a version add up to: a cache that may be deleted at any time.

    `hash` is the hash of the event at that version, so that a snapshot of another history is never believed.
    """

    stream = models.CharField(max_length=200, primary_key=True)
    version = models.BigIntegerField()
    state = models.JSONField()
    hash = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return f"{self.stream} {self.version}"
