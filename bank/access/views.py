"""The screens of log-in, second factor, password confirmation and the user's own account."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse, reverse_lazy
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods
from django_otp.plugins.otp_totp.models import TOTPDevice

from . import second_factor, security_log, sessions, throttle
from .forms import CodeForm, ConfirmForm, PasswordForm

# Logging in


class LogIn(LoginView):
    """The password screen. A user with a second factor then has to give a code."""

    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        device = second_factor.device_of(user)
        if device is None and not second_factor.is_required(user):
            return let_in(self.request, user, self.get_success_url())
        second_factor.begin(self.request, user)
        return redirect_on("code" if device else "first_second_factor", self.get_redirect_url())


def let_in(request: HttpRequest, user: User, url: str, device: TOTPDevice | None = None) -> HttpResponse:
    """Log the user in with the proven second factor, and remember the device."""
    second_factor.forget(request)
    user.otp_device = device  # type: ignore[attr-defined]  # django-otp stores it in the session
    auth.login(request, user)
    response = HttpResponseRedirect(url)
    throttle.remember(request, response, user.get_username())
    return response


@sensitive_post_parameters("code")
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """The second step of a log-in: the code of the second factor."""
    user = second_factor.pending_user(request)
    device = second_factor.device_of(user) if user else None
    if user is None or device is None:
        return start_again(request)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        if second_factor.check(request, user, device, form.cleaned_data["code"]):
            return let_in(request, user, next_url(request), device)
        refuse(request, form, user)
    return render(request, "access/code.html", {"form": form}, status=422 if form.errors else 200)


@sensitive_post_parameters("code")
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def first_second_factor(request: HttpRequest) -> HttpResponse:
    """The second step of a first log-in: set up the second factor that the role requires."""
    user = second_factor.pending_user(request)
    if user is None or second_factor.device_of(user):  # a password alone must not replace an existing second factor
        return start_again(request)
    return set_up(request, user)


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
@sessions.fresh_password
def own_second_factor(request: HttpRequest) -> HttpResponse:
    """Set up a second factor, or replace it."""
    assert isinstance(request.user, User)
    return set_up(request, request.user)


def set_up(request: HttpRequest, user: User) -> HttpResponse:
    """Show the secret of this session's draft until a code confirms it; then end all other sessions."""
    device, is_new = second_factor.draft(request, user)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if is_new and form.is_valid():
        form.add_error("code", gettext("This page was out of date. Scan the new picture and enter its code."))
    elif form.is_valid() and second_factor.confirm(request, user, device, form.cleaned_data["code"]):
        sessions.end_all(user, but=request.session.session_key)
        request.session.cycle_key()
        security_log.log("Second factor set up", request, user.get_username())
        return let_in(request, user, next_url(request, "own" if request.user.is_authenticated else ""), device)
    elif form.is_valid():
        refuse(request, form, user)
    context = {"form": form, "picture": second_factor.picture_of(device), "secret": second_factor.secret_of(device)}
    return render(request, "access/set_up.html", context, status=422 if form.errors else 200)


def refuse(request: HttpRequest, form: CodeForm, user: User) -> None:
    """Log a wrong code, and add the error to the form."""
    security_log.log("Code refused", request, user.get_username())
    form.add_error("code", gettext("This code is not right, or was used before. Wait for the next one."))


# Logged in


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    """Ask for the password again, and go back to the task."""
    form = ConfirmForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_valid():
        sessions.confirm(request)
        security_log.log("Password confirmed", request, request.user.get_username())
        return HttpResponseRedirect(next_url(request))
    return render(request, "access/confirm.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
def own(request: HttpRequest) -> HttpResponse:
    """The user's own log-in: password, second factor and sessions."""
    assert isinstance(request.user, User)
    context = {
        "roles": request.user.groups.order_by("name"),
        "device": second_factor.device_of(request.user),
        "sessions": sessions.described(request.user, request.session.session_key),
    }
    return render(request, "access/own.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@sessions.fresh_password
def end_sessions(request: HttpRequest) -> HttpResponse:
    """End all other sessions of the user on POST. A GET, after `confirm`, leads back to the button."""
    assert isinstance(request.user, User)
    if request.method == "POST":
        sessions.end_all(request.user, but=request.session.session_key)
        security_log.log("Other sessions ended", request, request.user.get_username())
    return redirect("own")


class ChangePassword(PasswordChangeView):
    """Change the user's own password, and end all other sessions."""

    form_class = PasswordForm
    template_name = "access/password.html"
    success_url = reverse_lazy("own")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        response = super().form_valid(form)
        self.request.session.cycle_key()
        security_log.log("Password changed", self.request, self.request.user.get_username())
        return response


# Shared by these views


def next_url(request: HttpRequest, other: str = "") -> str:
    """Return the URL that the user wanted if it is on this site, else `other` or the desk."""
    url = request.GET.get("next", "")
    allowed = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    return url if allowed else resolve_url(other or settings.LOGIN_REDIRECT_URL)


def redirect_on(name: str, url: str) -> HttpResponse:
    """Redirect to the next step of the log-in, with the URL that the user wanted."""
    return redirect(f"{reverse(name)}?{urlencode({'next': url})}" if url else reverse(name))


def start_again(request: HttpRequest) -> HttpResponse:
    """Redirect to the password screen: the password is missing or too old."""
    if request.user.is_authenticated:
        return redirect(settings.LOGIN_REDIRECT_URL)
    return redirect(f"{reverse('login')}?{urlencode({'ended': 'late', 'next': next_url(request)})}")
