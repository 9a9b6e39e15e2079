from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.utils.translation import gettext_lazy


class EventStoreConfig(AppConfig):
    name = "eventstore"
    verbose_name = gettext_lazy("Event store")

    def ready(self) -> None:
        from .backends.epochs import begin_epoch_if_restored

        connection_created.connect(begin_epoch_if_restored, dispatch_uid="eventstore")
