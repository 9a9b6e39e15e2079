from django.contrib.admin.apps import AdminConfig


class BankAdminConfig(AdminConfig):
    """Django's admin, with doors of ours."""

    default_site = "bank.access.admin_site.BankAdminSite"
