"""Middleware for every request: first pages, limits of waits, NULs, health checks, and answers that are adapted."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from django.core.exceptions import BadRequest
from django.db import DatabaseError, InterfaceError
from django.http import FileResponse, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django_htmx.http import HttpResponseClientRedirect

from eventstore.patience import waits_limited_to

from ..access.cookies import cookie, set_cookie
from ..application import currency
from ..operations.health import healthz, readyz
from .unavailable import not_installed

LOCK_SECONDS = 2.0
"""The longest wait of a web request for locks, in seconds. A busy bank says so within three."""
STYLES = "styles"
"""The cookie of a browser that has loaded the style sheets."""


class FirstPageMiddleware:
    """Let a page carry its style sheets until the browser has loaded them as files.

    Over a slow network, the first page then needs one round trip less. A style sheet's answer sets the cookie.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_first = not cookie(request, STYLES) and "HX-Request" not in request.headers
        request.lacks_styles = is_first  # type: ignore[attr-defined]
        response = self.get_response(request)
        if isinstance(response, FileResponse) and response["Content-Type"].startswith("text/css"):
            set_cookie(response, STYLES, "1")
        return response


class PatienceMiddleware:
    """Limit the waits of a request for locks, including the saving of its session."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with waits_limited_to(LOCK_SECONDS):
            return self.get_response(request)


class NoNulMiddleware:
    """Refuse a NUL in path, headers, cookies or the admin's forms. PostgreSQL cannot store it, and C ends a text at it.

    The bank's own forms and searches report a NUL at the field. The admin also reads unvalidated input, such as filters
    and the keys of selected rows.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        refuse_nul(request.META.values())
        refuse_nul(request.COOKIES.values())  # Django decodes "\000" in a quoted cookie
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: Any, kwargs: Any) -> None:
        if request.resolver_match and "admin" in request.resolver_match.app_names:
            for name, values in (*request.GET.lists(), *request.POST.lists()):
                refuse_nul([name, *values])


def refuse_nul(texts: Iterable[object]) -> None:
    """Raise BadRequest if one of the texts contains a NUL. Other types are ignored."""
    if any(isinstance(text, str) and "\0" in text for text in texts):
        raise BadRequest("The request holds a NUL")


class HealthMiddleware:
    """Answer health checks before any middleware loads the session from a database."""

    CHECKS = {"/healthz": healthz, "/readyz": readyz}

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.CHECKS.get(request.path_info, self.get_response)(request)


class CurrencyMiddleware:
    """Refuse all pages while the currency of the settings differs from the recorded one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            with suppress(DatabaseError, InterfaceError):  # a page that needs the database meets the fault itself
                currency.check()
        except currency.WrongCurrency as fault:
            return not_installed(request, fault)
        return self.get_response(request)


class WrongMethodMiddleware:
    """Answer a method that a page does not support. Django's own answer is empty."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 405 and not response.content:
            response.content = render_to_string("405.html")
            response["Content-Type"] = "text/html; charset=utf-8"
        return response


class HtmxLoginMiddleware:
    """Apply a redirect to the whole page, above all to the log-in page. htmx would swap it into a part.

    For a request that restores a page of the history, htmx ignores `HX-Redirect`. There, the browser follows the
    redirect, and htmx displays its target.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        restores = "HX-History-Restore-Request" in request.headers
        if response.status_code == 302 and request.headers.get("HX-Request") == "true" and not restores:
            return HttpResponseClientRedirect(response["Location"])
        return response
