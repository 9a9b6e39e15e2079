from django.apps import AppConfig


class NaiveConfig(AppConfig):
    name = "tests.benchmarks.naive"

    def ready(self) -> None:
        """Install the naive bank behind the task screens."""
        from bank.screens import tasks
        from tests.benchmarks.naive.bank import handle

        tasks.handle = handle  # type: ignore[attr-defined]
