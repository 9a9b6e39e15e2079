from django.contrib.admin.apps import AdminConfig


class BankAdminConfig(AdminConfig):
    """Django's admin with the bank's own log-in screens."""

    default_site = "bank.access.admin_site.BankAdminSite"
