"""Middleware for every request: headers, body size, the end of a session and the log-in requirement."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django_otp.middleware import is_verified

from . import second_factor, security_log, sessions
from .throttle import TooManyTries

type Respond = Callable[[HttpRequest], HttpResponse]

PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "encrypted-media", "fullscreen",
        "geolocation", "gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer", "microphone", "midi",
        "payment", "picture-in-picture", "screen-wake-lock", "serial", "storage-access", "usb", "xr-spatial-tracking",
    )
)  # fmt: skip
"""The screens need forms only. An unknown feature would cause a warning in Chromium."""


class HeadersMiddleware:
    """Set the security headers of every answer. It is the outermost middleware, so that errors have them too."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")  # static files set their own
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if not isinstance(response, FileResponse):  # a static file uses no feature
            response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response


class BodyLimitMiddleware:
    """Refuse a body larger than any form of the bank, before Django reads it.

    A chunked body has a length too: the server has read it to its end, or to twice the limit.
    """

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or ""
        if length.isdecimal() and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return render(request, "413.html", status=413)
        return self.get_response(request)


class SessionMiddleware:
    """End an expired session, or one without the second factor that its user now needs. Log refusals."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # The page's own clocks count these seconds.
        request.idle_seconds, request.shift_seconds = settings.BANK_IDLE_MINUTES * 60, 0  # type: ignore[attr-defined]
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            # The user without the lazy wrappers of Django and django-otp, because a page reads it often.
            user = request.user = request._cached_user  # type: ignore[attr-defined]
            ended = sessions.why_ended(request)
            if not ended and not is_verified(user) and second_factor.is_required(user):
                ended = "factor"
            if ended:
                security_log.log(f"Session ended ({ended})", request, request.user.get_username())
                if sessions.is_part(request):
                    request.user = AnonymousUser()  # the next request for a whole page ends the session
                else:
                    logout(request)
                request.session_ended = ended  # type: ignore[attr-defined]
            else:
                request.shift_seconds = int(sessions.shift_left(request))  # type: ignore[attr-defined]
        response = self.get_response(request)
        if response.status_code == 403:
            security_log.log(f"Refused {request.method} {request.path!a}", request, request.user.get_username())
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer with the waiting time if passwords or codes were tried too often."""
        if not isinstance(exception, TooManyTries):
            return None
        context = {"seconds": exception.seconds, "again": request.get_full_path()}
        response = render(request, "429.html", context, status=429)
        response["Retry-After"] = str(exception.seconds)
        return response


class LogInRequiredMiddleware(LoginRequiredMiddleware):
    """Django's middleware with one log-in page for all, the admin too. The page says why a session ended.

    After the log-in, a page that asked for a part of itself is shown as a whole.
    """

    def get_login_url(self, view_func: Callable[..., HttpResponseBase]) -> str:
        return str(settings.LOGIN_URL)

    def handle_no_permission(
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseRedirect:
        response = super().handle_no_permission(request, view_func)
        whole_page = request.htmx.current_url_abs_path  # type: ignore[attr-defined]
        if whole_page and sessions.is_part(request):
            response = redirect_to_login(whole_page, self.get_login_url(view_func))
        if ended := getattr(request, "session_ended", ""):
            response["Location"] += f"&ended={ended}"
        return response
