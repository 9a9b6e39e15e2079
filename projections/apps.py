from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class ProjectionsConfig(AppConfig):
    name = "projections"
    verbose_name = gettext_lazy("Projections")

    def ready(self) -> None:
        from . import receivers

        receivers.connect()
