"""Users and groups in the admin, for superusers. Changes of either require a fresh password."""

import re
from typing import TYPE_CHECKING, Any

import django_otp.plugins.otp_totp.admin  # noqa: F401  # it registers what is taken back below
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import BadRequest
from django.db.models import Exists, OuterRef, QuerySet
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, gettext_lazy, gettext_noop
from django_otp.plugins.otp_totp.models import TOTPDevice

from .access import second_factor, security_log, sessions

if TYPE_CHECKING:
    AnyAdmin = admin.ModelAdmin[Any]
    AnyUserAdmin = UserAdmin[User]
else:
    AnyAdmin = admin.ModelAdmin
    AnyUserAdmin = UserAdmin

admin.site.unregister([User, Group, TOTPDevice])

ACTIONS = {
    "add": gettext_noop("Add"),
    "change": gettext_noop("Change"),
    "delete": gettext_noop("Delete"),
    "view": gettext_noop("View"),
}
"""Django's permissions of each table."""


class FreshPassword(AnyAdmin):
    """Admin that requires a fresh password for every page and action except viewing the list."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow only the lookups of the filters. Django allows any lookup of any field, and fails at "?id__regex=+"."""
        ways = ("__exact", "__id__exact", "__isnull")
        return lookup in {f"{field}{way}" for field in self.list_filter for way in ways}

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer check boxes. Django's two lists need a script, and assistive technology cannot name their parts."""
        field: Any = super().formfield_for_manytomany(db_field, request, widget=CheckboxSelectMultiple(), **kwargs)
        if db_field.name.endswith("permissions"):
            field.label_from_instance = words_of
        return field

    @sessions.fresh_password
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().changeform_view(request, *args, **kwargs)

    @sessions.fresh_password
    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().delete_view(request, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
            if not re.fullmatch("[0-9]{1,18}", key):  # Django passes the key to the database unchecked
                raise BadRequest("No row has such a key")
        view = super().changelist_view
        return (sessions.fresh_password(view) if request.method == "POST" else view)(request, *args, **kwargs)


def words_of(permission: Permission) -> str:
    """Return a permission in the reader's language. The database has its name in English."""
    table, action = permission.content_type, ACTIONS.get(permission.codename.partition("_")[0])
    model = table.model_class()
    if model and action and permission.codename.endswith(f"_{table.model}"):
        return f"{model._meta.app_config.verbose_name} | {model._meta.verbose_name} | {gettext(action)}"
    return gettext(permission.name)


class NewPasswordForm(AdminPasswordChangeForm):  # type: ignore[type-arg]  # it is not generic at run time
    """Django's form, whose hint is in English whatever the language."""

    usable_password_help_text = gettext_lazy("Without a password the user cannot log in.")  # type: ignore[assignment]


@admin.register(User)
class BankUserAdmin(FreshPassword, AnyUserAdmin):
    """Users. If a phone is lost, reset the second factor: the next log-in sets up a new one."""

    list_display = ("username", "roles", "is_active", "is_staff", "is_superuser", "has_second_factor", "last_login")
    change_password_form = NewPasswordForm
    actions = ("reset_second_factor", "end_sessions")

    @sessions.fresh_password
    def user_change_password(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().user_change_password(request, *args, **kwargs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        devices = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        users: QuerySet[User] = super().get_queryset(request)
        return users.prefetch_related("groups").annotate(second_factor=Exists(devices))

    @admin.display(description=gettext_lazy("roles"))
    def roles(self, user: User) -> str:
        return ", ".join(sorted(gettext(group.name) for group in user.groups.all())) or "-"

    @admin.display(description=gettext_lazy("second factor"), boolean=True)
    def has_second_factor(self, user: User) -> bool:
        return bool(user.second_factor)  # type: ignore[attr-defined]

    @admin.action(description=gettext_lazy("Remove the second factor and end all sessions"), permissions=["change"])
    def reset_second_factor(self, request: HttpRequest, users: QuerySet[User]) -> None:
        for user in users:
            second_factor.reset(user)
            self.tell(request, user, "Second factor reset", gettext("Second factor reset"))

    @admin.action(description=gettext_lazy("End all sessions"), permissions=["change"])
    def end_sessions(self, request: HttpRequest, users: QuerySet[User]) -> None:
        for user in users:
            sessions.end_all(user)
            self.tell(request, user, "Sessions ended", gettext("Sessions ended"))

    def tell(self, request: HttpRequest, user: User, what: str, shown: str) -> None:
        """Record an action in the user's history and in the security log, and show it in the reader's language."""
        self.log_change(request, user, what)
        security_log.log(f"{what} by {request.user.get_username()}", request, user.get_username())
        self.message_user(request, f"{user.get_username()}: {shown}.")


@admin.register(Group)
class BankGroupAdmin(FreshPassword, GroupAdmin):  # type: ignore[misc]  # the stubs name an argument otherwise
    """The roles. `roles.py` defines their permissions."""
