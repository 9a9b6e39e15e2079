"""The one place where a password is looked at, whichever screen it was typed into."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest

from . import throttle


class PasswordBackend(ModelBackend):
    """Django's own, throttled. Who calls it without a request has no address and is code of ours."""

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
