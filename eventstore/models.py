"""The write side's tables. `store.py` writes and reads them; the models are for migrations and the admin."""

from typing import Any, Never

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler
from django.utils.translation import gettext_lazy

from .events import LogPosition


class AppendOnly(Exception):
    """An attempt to change or delete a recorded row."""


class AppendOnlyQuerySet[M: models.Model](models.QuerySet[M]):
    """Query set that only reads: only `store.py` inserts rows, and nothing changes or deletes them."""

    def _refuse(self, *args: Any, **kwargs: Any) -> Never:
        raise AppendOnly(f"{self.model._meta.verbose_name_plural} are never changed or deleted")

    update = delete = bulk_update = bulk_create = create = get_or_create = update_or_create = _refuse
    _raw_delete = _update = _refuse


class AppendOnlyModel(models.Model):
    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> Never:
        raise AppendOnly(f"{self._meta.verbose_name_plural} are never saved through their model")

    def delete(self, *args: Any, **kwargs: Any) -> Never:
        raise AppendOnly(f"{self._meta.verbose_name_plural} are never deleted")


class ActorIn(models.Func):
    """The actor in an event's metadata, as one fixed SQL expression.

    Django's own KT puts a set into its SQL on SQLite. The order of a set differs between processes, so an index on the
    expression would match the queries of some processes only.
    """

    template = "(%(expressions)s ->> 'actor')"
    output_field = models.TextField()

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="JSON_EXTRACT(%(expressions)s, '$.actor')", **extra)


class Event(AppendOnlyModel):
    """One event. `position` is its order in the whole log, `version` its order within the stream."""

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
            models.Index(ActorIn("metadata"), "position", name="event_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.stream} {self.version} {self.type}"


class CommandRecord(AppendOnlyModel):
    """One accepted or rejected command, so that its id counts once. It never holds a PIN."""

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted", gettext_lazy("Accepted")
        REJECTED = "rejected", gettext_lazy("Rejected")

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
    fingerprint = models.BinaryField(max_length=32, help_text="HMAC-SHA256 of what the command says")
    transaction_id = models.BigIntegerField(db_default=0, help_text="PostgreSQL's xid8; 0 on SQLite")
    seal = models.BinaryField(max_length=36, help_text="HMAC-SHA256 of all that it says; see `seals.py`")
    causation = models.CharField(
        max_length=220, db_default="", help_text="The event that led to it, as stream@version; empty for a user's"
    )

    class Meta:
        indexes = [
            models.Index(fields=["received_at"], name="command_received_at"),
            models.Index(fields=["name", "received_at"], name="command_name"),
            models.Index(fields=["received_at"], name="command_rejected", condition=models.Q(outcome="rejected")),
            models.Index(fields=["causation"], name="command_causation", condition=~models.Q(causation="")),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.id}"


class Snapshot(models.Model):
    """The state of a stream at a version: a cache that may be deleted at any time.

    `hash` covers the state and the hash of the event at that version. `seal` covers stream, version and hash, so only a
    process with `SEAL_KEYS` can write a trusted snapshot.
    """

    stream = models.CharField(max_length=200, primary_key=True)
    version = models.BigIntegerField()
    state = models.JSONField()
    hash = models.BinaryField(max_length=32)
    seal = models.BinaryField(
        max_length=36, db_default=b"", help_text="Empty where an older version of the program wrote it"
    )

    def __str__(self) -> str:
        return f"{self.stream} {self.version}"


class Subscription(models.Model):
    """The checkpoint of one subscription, the error that stopped it, and the process that works on it."""

    name = models.CharField(max_length=50, primary_key=True)
    transaction_id = models.BigIntegerField(default=0, help_text="PostgreSQL's xid8; 0 on SQLite")
    position = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField()
    error = models.TextField(default="", blank=True)
    failed_position = models.BigIntegerField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=200, default="", blank=True, help_text="The process that works on it")
    leased_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name}: {self.position}"

    @property
    def log_position(self) -> LogPosition:
        return LogPosition(self.transaction_id, self.position)


class Epoch(AppendOnlyModel):
    """The beginning of an epoch: from here on, the log's transaction ids are PostgreSQL's own plus a shift.

    PostgreSQL counts transactions per server. After a restore on another server, the shift keeps the ids rising, so
    that readers at the end of the log still find new events.
    """

    number = models.IntegerField(primary_key=True)
    shift = models.BigIntegerField()
    began_at = models.DateTimeField()

    class Meta(AppendOnlyModel.Meta):
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.number}: {self.shift}"
