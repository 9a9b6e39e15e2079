"""The tables of the engine: the checkpoints of the projections, and the streams that they have parked."""

from datetime import timedelta

from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Now

from eventstore.events import LogPosition

LEASE = timedelta(seconds=3)
"""The time from each renewal of a lease to its end."""
IS_LEASED = Q(leased_until__gt=Now(), leased_until__lte=Now() + LEASE)
"""The SQL condition that a worker holds a projection now, by the database's clock.

A lease that ends later than any new one was written before that clock was set back, and does not count.
"""
WORKER_NOW = Case(When(IS_LEASED, then="worker"), default=Value(""))
"""The worker that holds a projection now, or an empty text."""


class Checkpoint(models.Model):
    """The checkpoint of one projection, and the error that stopped it, if any."""

    name = models.CharField(max_length=50, primary_key=True)
    transaction_id = models.BigIntegerField(default=0, help_text="PostgreSQL's xid8; 0 on SQLite")
    position = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField()
    error = models.TextField(default="", blank=True)
    failed_position = models.BigIntegerField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=200, default="", blank=True, help_text="Which worker keeps it caught up")
    leased_until = models.DateTimeField(null=True, blank=True, help_text="Until when the others stand by")
    built_with = models.CharField(
        max_length=100, default="", db_default="", blank=True, help_text="What the rows depend on besides the events"
    )
    parked = models.BigIntegerField(default=0, db_default=0, help_text="The number of streams that it has parked")

    def __str__(self) -> str:
        return f"{self.name}: {self.position}"

    @property
    def log_position(self) -> LogPosition:
        return LogPosition(self.transaction_id, self.position)


class ParkedStream(models.Model):
    """A stream that a projection skips from an event on that it could not apply; see `quarantine`.

    `is_unknown` is true if the program could not decode the event. Otherwise the projector raised.
    """

    projection = models.CharField(max_length=50)
    stream = models.CharField(max_length=200)
    version = models.BigIntegerField(help_text="The first version that is not in the figures")
    transaction_id = models.BigIntegerField()
    position = models.BigIntegerField(help_text="The event's position in the log")
    event_type = models.CharField(max_length=100)
    is_unknown = models.BooleanField(help_text="This version of the program does not know the event")
    error = models.TextField()
    recorded_at = models.DateTimeField(help_text="The figures lack the stream's events since then")
    parked_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["projection", "stream"], name="parked_projection_stream")]

    def __str__(self) -> str:
        return f"{self.projection}: {self.stream} {self.version}"

    @property
    def log_position(self) -> LogPosition:
        return LogPosition(self.transaction_id, self.position)
