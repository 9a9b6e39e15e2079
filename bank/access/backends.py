"""The one place where a password is looked at, whichever screen it was typed into."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest

from . import throttle

_USER = """
    SELECT account.*, content.app_label, permission.codename
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
"""


class PasswordBackend(ModelBackend):
    """Django's own, throttled. Who calls it without a request has no address and is code of ours.

    Whoever is logged in is found with all permissions at once: each request asks for them.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """Return the user of this name and password, or None.

        Raises:
            TooManyTries: the password was not looked at.
        """
        if request is None or username is None or password is None:
            return super().authenticate(request, username, password, **kwargs)
        counters = throttle.admit(request, username)
        user = super().authenticate(request, username, password, **kwargs)
        if user is not None:
            throttle.succeed(counters)
        return user

    def get_user(self, user_id: int) -> User | None:
        """Return the user of a session, or None where the account is gone or not active."""
        found: list[Any] = list(User.objects.raw(_USER, [user_id] * 3))  # one row for each permission
        if not found:
            return None
        user = found[0]
        if not user.is_superuser:  # who may do everything, and is not looked up
            user._perm_cache = {f"{row.app_label}.{row.codename}" for row in found if row.codename}
        return user if self.user_can_authenticate(user) else None
