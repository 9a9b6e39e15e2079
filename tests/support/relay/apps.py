from django.apps import AppConfig


class RelayConfig(AppConfig):
    name = "tests.support.relay"

    def ready(self) -> None:
        """Add the process manager to those of the bank, in a process of its own."""
        from bank.domain.processes import PROCESS_MANAGERS
        from tests.support.relay import RELAY

        PROCESS_MANAGERS[RELAY.name] = RELAY
