"""The event model of the naive bank, which can be created; the store's own model refuses that."""

from typing import ClassVar

from django.db import models


class Event(models.Model):
    position = models.BigAutoField(primary_key=True)
    stream = models.CharField(max_length=200)
    version = models.BigIntegerField()
    type = models.CharField(max_length=100)
    schema_version = models.SmallIntegerField(default=1)
    data = models.JSONField()
    metadata = models.JSONField()
    command_id = models.UUIDField()
    recorded_at = models.DateTimeField()
    transaction_id = models.BigIntegerField(db_default=0)
    hash = models.BinaryField(max_length=32, default=bytes)

    objects: ClassVar[models.Manager["Event"]] = models.Manager()

    class Meta:
        app_label = "naive"
        managed = False
        db_table = "eventstore_event"

    def __str__(self) -> str:
        return f"{self.stream} {self.version}"
