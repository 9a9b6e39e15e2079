from django.apps import AppConfig


class NaiveConfig(AppConfig):
    name = "tests.benchmarks.naive"

    def ready(self) -> None:
        """Put the naive bank behind the task screens."""
        from bank import task_views

        from .bank import handle

        task_views.handle = handle  # type: ignore[attr-defined]
