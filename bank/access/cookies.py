"""The bank's own cookies. Over HTTPS their names start with `__Host-`: no other host of the domain can set them."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

SALT = "bank.access.cookies"


def set_cookie(response: HttpResponse, name: str, value: str) -> None:
    """Set a cookie that lasts until the browser closes."""
    response.set_cookie(settings.BANK_COOKIE_PREFIX + name, value, **_attributes())


def set_signed_cookie(response: HttpResponse, name: str, value: str, age: timedelta) -> None:
    """Set a signed cookie."""
    response.set_signed_cookie(
        settings.BANK_COOKIE_PREFIX + name, value, salt=SALT, max_age=int(age.total_seconds()), **_attributes()
    )


def cookie(request: HttpRequest, name: str) -> str:
    """Return the value of a cookie, or the empty string."""
    return request.COOKIES.get(settings.BANK_COOKIE_PREFIX + name, "")


def signed_cookie(request: HttpRequest, name: str, age: timedelta) -> str:
    """Return the value of a cookie that was signed within this age, or the empty string."""
    seconds = int(age.total_seconds())
    return request.get_signed_cookie(settings.BANK_COOKIE_PREFIX + name, "", salt=SALT, max_age=seconds) or ""


def _attributes() -> dict[str, Any]:
    return {"httponly": True, "samesite": "Lax", "secure": settings.SESSION_COOKIE_SECURE}
