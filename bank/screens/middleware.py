"""Middleware of every request: it limits waits, refuses NULs, answers health checks and adapts answers for browsers."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from django.core.exceptions import BadRequest
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django_htmx.http import HttpResponseClientRedirect

from eventstore.patience import waits_limited_to

from ..application import currency
from ..operations.health import healthz, readyz
from .unavailable import not_installed

LOCK_SECONDS = 2.5
"""The longest time that a web request waits for locks of SQLite."""


class PatienceMiddleware:
    """Limits the time that a request waits for locks, the saving of its session included."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with waits_limited_to(LOCK_SECONDS):
            return self.get_response(request)


class NoNulMiddleware:
    """Refuses a request with a NUL where none is expected: PostgreSQL stores none, and C ends a text at it.

    That is in its path, headers and cookies. The bank's forms and searches deal with one where it was typed; the admin
    also reads what no form has checked, such as filters and the keys of the rows that are selected.
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
    """Raise BadRequest where one of the texts holds a NUL; what is no text is left alone."""
    if any(isinstance(text, str) and "\0" in text for text in texts):
        raise BadRequest("The request holds a NUL")


class HealthMiddleware:
    """Answers the health checks before anything looks into the session, which lives in a database."""

    CHECKS = {"/healthz": healthz, "/readyz": readyz}

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.CHECKS.get(request.path_info, self.get_response)(request)


class CurrencyMiddleware:
    """Shows no amount while the settings name another currency than the record."""

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
    """Gives the answer to a method that an address does not take a page. Django's own answer is empty."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 405 and not response.content:
            response.content = render_to_string("405.html")
            response["Content-Type"] = "text/html; charset=utf-8"
        return response


class HtmxLoginMiddleware:
    """Lets a redirect, to the log-in page above all, move the whole page. htmx would swap it into a part.

    To a request that restores a page of the history htmx ignores `HX-Redirect`. The browser follows its redirect, and
    htmx shows the page where it leads.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        restores = "HX-History-Restore-Request" in request.headers
        if response.status_code == 302 and request.headers.get("HX-Request") == "true" and not restores:
            return HttpResponseClientRedirect(response["Location"])
        return response
