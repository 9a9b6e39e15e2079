from django.contrib.admin.apps import AdminConfig


class BankAdminConfig(AdminConfig):
    """Django's admin with the bank's own log-in screens."""

    default_site = "bank.access.admin_site.BankAdminSite"

    def ready(self) -> None:
        from .admin_site import translate_names

        super().ready()
        translate_names()
