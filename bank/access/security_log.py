"""The log of security events, `bank.security`. It never contains a password, a code, a key or a session.

A typed user name is logged only if such a user exists: it may have been a password.
"""

import logging
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from .address import client_address

logger = logging.getLogger("bank.security")


def log(what: str, request: HttpRequest | None, username: str = "", *, level: int = logging.INFO) -> None:
    """Log a security event with its user and the client's address."""
    address = client_address(request) if request else "this machine"
    logger.log(level, "%s: user %s, from %s", what, username or "unknown", address)


def known(username: str) -> str:
    """Return the name if a user has it, else the empty string."""
    return username if User.objects.filter(username=username).exists() else ""


@receiver(user_logged_in, dispatch_uid="bank.access.logged_in")
def logged_in(sender: object, request: HttpRequest, user: User, **kwargs: Any) -> None:
    log("Logged in", request, user.get_username())


@receiver(user_logged_out, dispatch_uid="bank.access.logged_out")
def logged_out(sender: object, request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        log("Logged out", request, user.get_username())


@receiver(user_login_failed, dispatch_uid="bank.access.password_refused")
def password_refused(
    sender: object, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    log("Password refused", request, known(str(credentials.get("username", ""))), level=logging.WARNING)
