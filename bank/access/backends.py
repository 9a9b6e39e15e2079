"""The authentication backend: it checks every password, on whichever screen, and loads the user of a session."""

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.db import connections
from django.http import HttpRequest

from . import throttle

_FIELDS = [field.attname for field in User._meta.concrete_fields]
_USER = f"""
    SELECT {", ".join(f"account.{field.column}" for field in User._meta.concrete_fields)},
        content.app_label, permission.codename
    FROM auth_user AS account
    LEFT JOIN (
        SELECT permission_id FROM auth_user_user_permissions WHERE user_id = %s
        UNION
        SELECT granted.permission_id FROM auth_user_groups AS member
        JOIN auth_group_permissions AS granted ON granted.group_id = member.group_id WHERE member.user_id = %s
    ) AS may ON TRUE
    LEFT JOIN auth_permission AS permission ON permission.id = may.permission_id
    LEFT JOIN django_content_type AS content ON content.id = permission.content_type_id
    WHERE account.id = %s
"""  # noqa: S608 - the only thing interpolated are names of columns


class PasswordBackend(ModelBackend):
    """Django's own, throttled. A call without a request comes from our own code, has no address and is not throttled.

    `get_user` reads a user and all permissions in one plain statement, which is faster than Django's three queries
    (docs/performance.md).
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """Return the user with this name and password, or None.

        Raises:
            TooManyTries: the password was not checked.
        """
        if request is None or username is None or password is None:
            return super().authenticate(request, username, password, **kwargs)
        counters = throttle.admit(request, username)
        user = super().authenticate(request, username, password, **kwargs)
        if user is not None:
            throttle.succeed(counters)
        return user

    def get_user(self, user_id: int) -> User | None:
        """Return the user with all permissions, or None if the user does not exist or is not active."""
        with connections["default"].cursor() as cursor:
            cursor.execute(_USER, [user_id] * 3)
            found = cursor.fetchall()  # one row for each permission
        if not found:
            return None
        *values, _, _ = found[0]
        user: Any = User.from_db("default", _FIELDS, [_aware(value) for value in values])
        if not user.is_superuser:  # a superuser has every permission
            user._perm_cache = {f"{app}.{codename}" for *_, app, codename in found if codename}
        return user if self.user_can_authenticate(user) else None


def _aware(value: Any) -> Any:
    """Return a datetime with its time zone, which SQLite does not return, and any other value unchanged."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
