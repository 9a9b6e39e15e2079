from django.apps import AppConfig
from django.db.backends.signals import connection_created


class EventStoreConfig(AppConfig):
    name = "eventstore"
    verbose_name = "Event store"

    def ready(self) -> None:
        from .backends import postgresql

        connection_created.connect(postgresql.adopt_log, dispatch_uid="eventstore")
