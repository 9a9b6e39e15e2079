"""The admin site with the bank's own log-in and password screens, so that throttle and second factor apply."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy


class BankAdminSite(admin.AdminSite):
    index_title = gettext_lazy("Admin")
    enable_nav_sidebar = False

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Redirect to the log-in page. A logged-in user only gets here without permission for the admin."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Redirect to the bank's password screen."""
        return redirect("password")


def own_tables() -> Iterator[type[Model]]:
    """Yield the tables of this project that the admin shows."""
    return (model for model in admin.site._registry if model._meta.app_label in ("eventstore", "projections"))


def translate_names() -> None:
    """Let the names and hints of tables and columns be in the reader's language.

    A migration has the names that stand in the models, so a translation there would need another one.
    """
    for model in own_tables():
        options = model._meta
        options.verbose_name = gettext_lazy(str(options.verbose_name))
        options.verbose_name_plural = gettext_lazy(str(options.verbose_name_plural))
        for field in options.local_fields:
            field.verbose_name = gettext_lazy(str(field.verbose_name))
            field.help_text = field.help_text and gettext_lazy(str(field.help_text))
