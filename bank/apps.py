from babel.numbers import list_currencies
from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class BankConfig(AppConfig):
    name = "bank"
    verbose_name = "Bank"

    def ready(self) -> None:
        from eventstore import shared_clock

        from .access import clock, second_factor, security_log, sessions  # noqa: F401  # they receive Django's signals
        from .application import process_managers
        from .operations import checks, roles  # noqa: F401  # checks register themselves

        clock.shared[:] = [shared_clock.now]
        process_managers.connect()

        if settings.BANK_CURRENCY not in list_currencies():  # the currency is recorded once, and never changes
            raise ImproperlyConfigured(
                f"BANK_CURRENCY is the code of a currency, such as EUR, not {settings.BANK_CURRENCY!r}."
            )
        unknown = set(settings.BANK_TOTP_ROLES) - {*roles.ROLES, second_factor.SUPERUSER}
        if unknown:  # a typing error must not exempt a role from the second factor
            raise ImproperlyConfigured(f"BANK_TOTP_ROLES names what is no role: {', '.join(sorted(unknown))}.")
