"""What every request meets that is neither access nor Django's own: the health checks, and what htmx needs."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django_htmx.http import HttpResponseClientRedirect

from .health import healthz, readyz


class HealthMiddleware:
    """Answers the health checks before anything looks into the session, which lives in a database."""

    CHECKS = {"/healthz": healthz, "/readyz": readyz}

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.CHECKS.get(request.path_info, self.get_response)(request)


class HtmxLoginMiddleware:
    """Lets a redirect, to the log-in page above all, move the whole page: htmx would put it into a part."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 302 and request.headers.get("HX-Request") == "true":
            return HttpResponseClientRedirect(response["Location"])
        return response
